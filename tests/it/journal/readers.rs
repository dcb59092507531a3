//! Readers of broadcasts that only the journal still has.

use std::time::Duration;

use arauto::{Config, SlowPolicy};

use super::{Data, publish, resume, seqs_up_to};
use crate::support::{Fixture, block_on};

/// A log that holds little, beside a journal that holds all.
fn small_log(data: &Data, config: &mut Config) {
    data.journal(config);
    config.limits.log_bytes = 512 << 10;
    config.backpressure.window = 64 << 10;
    config.backpressure.patience = Duration::from_millis(50);
}

/// Publishes as the console, which no reader holds back. Returns the last seq.
fn flood(fixture: &Fixture, count: u64, body: &str) -> u64 {
    let mut last = arauto::Seq::ZERO;
    for _ in 0..count {
        last = block_on(fixture.server.publish(body)).expect("it runs");
    }
    last.0
}

#[test]
fn reader_behind_the_log_reads_the_journal_in_any_policy() {
    for policy in [SlowPolicy::Gap, SlowPolicy::Disconnect] {
        let data = Data::new();
        let fixture = Fixture::with(|config| {
            small_log(&data, config);
            config.slow = policy;
        });
        let (mut slow, login) = fixture.client_and_login("slow");
        let last = flood(&fixture, 200, &"x".repeat(16 << 10));
        let seqs = seqs_up_to(&mut slow, last);
        assert_eq!(seqs, (login.num("seq") + 1..=last).collect::<Vec<_>>());
        // And it is at home in the log again.
        let last = flood(&fixture, 3, "live");
        assert_eq!(seqs_up_to(&mut slow, last), [last - 2, last - 1, last]);
        fixture.finish();
    }
}

#[test]
fn resume_reads_the_journal_then_the_log() {
    let data = Data::new();
    let fixture = Fixture::with(|config| small_log(&data, config));
    let (mut ana, login) = fixture.client_and_login("ana");
    let last = flood(&fixture, 300, &"x".repeat(8 << 10));
    for after in [1, 2, last / 2, last - 1, last] {
        let mut again = fixture.unauthenticated();
        resume(&mut again, "ana", login.text("stream"), after);
        let next = flood(&fixture, 1, "live");
        let seqs = seqs_up_to(&mut again, next);
        assert_eq!(
            seqs,
            (after + 1..=next).collect::<Vec<_>>(),
            "after {after}"
        );
    }
    seqs_up_to(&mut ana, last);
    fixture.finish();
}

#[test]
fn text_reader_behind_the_log_misses_nothing() {
    let data = Data::new();
    let fixture = Fixture::listening("?dialect=text", |config| small_log(&data, config));
    let mut slow = fixture.lines();
    slow.expect("+ arauto 1");
    slow.exchange("/login slow x", "+ slow registered");
    let last = flood(&fixture, 200, &"x".repeat(16 << 10));
    for seq in 2..=last {
        let line = slow.receive_text().expect("the session goes on");
        let start: String = line.chars().take(40).collect();
        assert!(
            line.starts_with(&format!("* message {seq} consola ")),
            "{start}"
        );
    }
    slow.send_text("/publish olá");
    let mut own = [slow.receive_text(), slow.receive_text()].map(|line| line.expect("both come"));
    own.sort(); // their order is open
    assert_eq!(own[0], format!("* message {} slow olá", last + 1));
    assert_eq!(own[1], format!("+ published {}", last + 1));
    fixture.finish();
}

#[test]
fn stop_drains_a_reader_through_the_journal() {
    let data = Data::new();
    let fixture = Fixture::with(|config| small_log(&data, config));
    let (mut slow, login) = fixture.client_and_login("slow");
    let last = flood(&fixture, 200, &"x".repeat(16 << 10));
    fixture.begin_stop();
    let frames = slow.until("closing");
    let seqs: Vec<u64> = frames
        .iter()
        .filter(|frame| frame.is("message"))
        .map(|frame| frame.num("seq"))
        .collect();
    assert_eq!(seqs, (login.num("seq") + 1..=last).collect::<Vec<_>>());
    assert!(!frames.iter().any(|frame| frame.is("gap")));
    slow.expect_end();
    let report = fixture.assert_clean();
    assert_eq!(report.head.0, last);
}

#[test]
fn stalled_journal_reader_is_reported_with_its_missing_range() {
    let data = Data::new();
    let fixture = Fixture::with(|config| {
        small_log(&data, config);
        config.timeouts.drain = Duration::from_millis(1500);
    });
    let _slow = fixture.client("slow");
    let mut other = fixture.client("other");
    let last = flood(&fixture, 200, &"x".repeat(16 << 10));
    seqs_up_to(&mut other, last);
    fixture.begin_stop();
    other.until("closing");
    drop(other);
    let report = fixture.report();
    assert_eq!(report.exit, 3, "{report:#?}");
    let short: Vec<_> = report
        .sessions
        .iter()
        .filter(|s| !s.missing.is_empty())
        .collect();
    assert_eq!(short.len(), 1, "{report:#?}");
    let (from, to) = short[0].missing[0];
    assert_eq!((from, to.0), (short[0].sent.next(), last));
}

#[test]
fn publisher_is_answered_while_another_reads_the_past() {
    let data = Data::new();
    let fixture = Fixture::with(|config| small_log(&data, config));
    let (mut ana, login) = fixture.client_and_login("ana");
    let body = "x".repeat(4 << 10);
    flood(&fixture, 300, &body);
    let mut past = fixture.unauthenticated();
    resume(&mut past, "past", login.text("stream"), 1);
    let last = std::thread::scope(|scope| {
        let publisher = scope.spawn(|| publish(&mut ana, 300, &body));
        let first = seqs_up_to(&mut past, 400);
        assert_eq!(first, (2..=400).collect::<Vec<_>>());
        publisher.join().expect("no panic")
    });
    assert_eq!(seqs_up_to(&mut past, last).last(), Some(&last));
    fixture.finish();
}

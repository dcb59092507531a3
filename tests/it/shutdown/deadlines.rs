//! Deadlines: what was not delivered is named, and nothing waits for ever.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arauto::{Answer, Body, Evidence, Handler, Phase, Request, SessionRecord, StopReason};

use super::{HeldServer, stalled_reader};
use crate::support::{Fixture, block_on, wait_until};

fn of<'a>(report: &'a arauto::Report, user: &str) -> &'a SessionRecord {
    let mut sessions = report.sessions.iter();
    let found = sessions.find(|record| record.user.as_deref() == Some(user));
    found.unwrap_or_else(|| panic!("{user} is in the report: {report:#?}"))
}

#[test]
fn stalled_reader_makes_exit_3_with_its_missing_range() {
    let fixture = Fixture::with(|config| config.timeouts.drain = Duration::from_secs(2));
    let mut stalled = stalled_reader(&fixture);
    let began = Instant::now();
    fixture.begin_stop();
    let report = fixture.report();
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "the budget is 2 s"
    );
    assert_eq!(report.exit, 3);
    let record = of(&report, "stalled");
    assert_eq!(record.cut, report.head);
    assert_eq!(record.missing, [(record.sent.next(), report.head)]);
    assert!(record.evidence < Evidence::Read, "{record:?}");
    let drain = report.phases.iter().find(|line| line.phase == Phase::Drain);
    assert!(!drain.expect("it was reached").in_time);

    // The report's `sent` is what there is to read, to the last whole frame.
    let mut last = 0;
    while let Some(frame) = stalled.recv() {
        if frame.get("seq").is_some() {
            last = frame.num("seq");
        }
        assert!(!frame.is("closing"), "it was cut off");
    }
    if cfg!(windows) {
        // Written is what tokio has taken, and its last write may not have fitted.
        assert!(last <= record.sent.0, "{last} of {record:?}");
    } else {
        assert_eq!(last, record.sent.0);
    }
}

#[test]
fn unread_session_after_fim_has_its_missing_range() {
    let fixture = Fixture::with(|config| config.timeouts.drain = Duration::from_secs(2));
    let mut stalled = stalled_reader(&fixture);
    let mut rui = fixture.client("rui");
    stalled.ask("fim", 999);
    // One thread reads both, in turn: after these it has read the `fim`.
    for id in 0..3 {
        rui.ask("ping", id);
        rui.skip_to("pong");
    }
    fixture.begin_stop();
    let report = fixture.report();
    assert_eq!(report.exit, 3);
    let record = of(&report, "stalled");
    assert_eq!(record.reason, "fim");
    assert!(
        record.sent < record.cut && record.cut <= report.head,
        "{record:?}"
    );
    assert_eq!(record.missing, [(record.sent.next(), record.cut)]);
}

#[test]
fn reader_that_resumes_in_the_drain_misses_nothing() {
    let fixture = Fixture::new();
    let mut stalled = stalled_reader(&fixture);
    fixture.begin_stop();
    let frames = stalled.until("closing");
    stalled.expect_end();
    let seqs = frames.iter().filter(|frame| frame.get("seq").is_some());
    let seqs: Vec<u64> = seqs.map(|frame| frame.num("seq")).collect();
    let report = fixture.assert_clean();
    assert_eq!(seqs, (2..=report.head.0).collect::<Vec<_>>());
}

#[test]
fn insisting_shortens_every_deadline_and_makes_exit_4() {
    let fixture = Fixture::new();
    let _stalled = stalled_reader(&fixture);
    let began = Instant::now();
    fixture.begin_stop();
    block_on(fixture.server.insist_for(StopReason::Signal)).expect("it is still there");
    let report = fixture.report();
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "it took {:?}",
        began.elapsed()
    );
    assert_eq!((report.exit, report.reason), (4, StopReason::Fim));
    assert!(
        !of(&report, "stalled").missing.is_empty(),
        "what is missing is listed"
    );
}

/// Blocks the sessions' thread until the test releases it.
struct Greedy(std::sync::Mutex<std::sync::mpsc::Receiver<()>>);

impl Handler for Greedy {
    fn handle(&self, _request: Request<'_>) -> Answer {
        let told = self.0.lock().expect("nobody panics with it");
        told.recv().expect("the phase comes");
        Answer::Now(Ok(Body::text("done")))
    }
}

#[test]
fn announcement_after_its_deadline_still_arrives() {
    let (go_on, told) = std::sync::mpsc::channel();
    let begun = Arc::new(Greedy(std::sync::Mutex::new(told)));
    let handler = Arc::clone(&begun);
    let fixture = Fixture::with(|config| {
        config.timeouts.drain = Duration::from_secs(5);
        config.handler = handler;
        config.on_phase = Arc::new(move |line| {
            if line.phase == Phase::Announce {
                assert!(!line.in_time, "nobody could be told yet");
                go_on.send(()).expect("the handler waits");
            }
        });
    });
    let mut other = fixture.client("other");
    let mut greedy = fixture.client("greedy");
    greedy.request(1, "all of it");
    wait_until("the handler has the thread", || begun.0.try_lock().is_err());
    fixture.begin_stop();
    assert_eq!(greedy.skip_to("reply").num("id"), 1);
    for client in [&mut greedy, &mut other] {
        client.skip_to("stopping");
        client.expect_closing("shutdown");
    }
    fixture.assert_clean();
}

#[test]
fn shutdown_now_by_an_admin_skips_the_drain() {
    let fixture = Fixture::new();
    let _stalled = stalled_reader(&fixture);
    let mut ana = fixture.client("ana");
    let began = Instant::now();
    let now = crate::support::ask("shutdown", 3).with("now", serde_cbor::Value::Bool(true));
    ana.send(&now);
    assert_eq!(ana.skip_to("stopping").num("id"), 3);
    ana.expect_closing("shutdown");
    let report = fixture.report();
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "it took {:?}",
        began.elapsed()
    );
    assert_eq!((report.exit, report.reason), (4, StopReason::Admin));
}

#[test]
fn second_stop_changes_nothing_and_returns_the_phase() {
    let HeldServer {
        fixture,
        held,
        mut holder,
    } = HeldServer::new("hold");
    let first = block_on(fixture.server.stop()).expect("it is there");
    assert_eq!(first.reason, StopReason::Fim);
    holder.expect("stopping");
    // This session got `stopping`; the others may still be waiting for it.
    let again = || block_on(fixture.server.stop_for(StopReason::Admin)).expect("it is there");
    wait_until("the phase is requests", || again().phase == Phase::Requests);
    let second = again();
    assert_eq!(
        (second.reason, second.phase),
        (StopReason::Fim, Phase::Requests)
    );
    assert!(second.remaining <= first.remaining);
    holder.ask("shutdown", 5);
    held.release();
    let reply = holder.expect("reply");
    assert_eq!(reply.text("body"), "done");
    let again = holder.expect("stopping");
    assert_eq!((again.num("id"), again.text("reason")), (5, "fim"));
    holder.expect_closing("shutdown");
    let server = fixture.server.clone();
    let report = fixture.assert_clean();
    assert_eq!(report.reason, StopReason::Fim);
    let gone = block_on(server.stop());
    assert!(
        gone.is_none_or(|status| status.phase == Phase::Store),
        "{gone:?}"
    );
}

#[test]
fn phases_run_in_order_and_reach_the_observer() {
    let (told, heard) = std::sync::mpsc::channel();
    let fixture = Fixture::with(|config| {
        config.on_phase = std::sync::Arc::new(move |line| {
            told.send(line.phase).expect("the test listens to the end");
        });
    });
    fixture.begin_stop();
    let report = fixture.assert_clean();
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), Phase::ALL);
    let phases: Vec<Phase> = report.phases.iter().map(|line| line.phase).collect();
    assert_eq!(phases, Phase::ALL);
    assert!(report.phases.iter().all(|line| line.in_time));
}

#[test]
fn client_with_an_open_socket_after_fim_delays_no_stop() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    ana.fim(); // it has read everything, the server's end included
    let began = Instant::now();
    fixture.begin_stop();
    fixture.assert_clean();
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "it took {:?}",
        began.elapsed()
    );
}

#[test]
fn ack_of_broadcasts_does_not_prove_unread_replies() {
    let fixture = Fixture::with(|config| config.timeouts.drain = Duration::from_secs(2));
    let mut ana = fixture.client("ana");
    ana.publish(1, "bom dia");
    let seq = ana.skip_to("message").num("seq");
    ana.ack(seq);
    // Small ones, which the socket takes and the client leaves there.
    for id in 2..12 {
        ana.request(id, "olá");
    }
    fixture.begin_stop();
    let report = fixture.report();
    let record = of(&report, "ana");
    assert_eq!(record.acked.0, seq);
    assert_eq!(record.accepted, record.answered);
    assert_eq!(
        (record.evidence, report.exit),
        (Evidence::Written, 3),
        "{record:?}"
    );
}

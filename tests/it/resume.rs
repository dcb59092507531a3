//! Logins that resume where an earlier session stopped.

use serde_cbor::Value;

use crate::support::{Fixture, Frame, FrameClient, PASSWORD, login, text};

fn resume(fixture: &Fixture, user: &str, stream: &str, after: u64) -> (FrameClient, Frame) {
    let mut client = fixture.unauthenticated();
    let entries = [
        (text("stream"), text(stream)),
        (text("after"), Value::Integer(after.into())),
    ];
    let point = Value::Map(entries.into());
    client.send(&login(1, user, PASSWORD).with("resume", point));
    let login = client.expect("logged_in");
    (client, login)
}

/// Publishes `count` messages, and waits for the answer to each.
fn publish(client: &mut FrameClient, count: u64, body: &str) -> u64 {
    for id in 0..count {
        client.publish(id, body);
    }
    let mut last = 0;
    for _ in 0..count {
        last = client.skip_to("published").num("seq");
    }
    last
}

/// The seqs that come until `last`.
fn heard(client: &mut FrameClient, last: u64) -> Vec<u64> {
    let mut seqs = Vec::new();
    while seqs.last() != Some(&last) {
        seqs.push(client.recv().expect("the session goes on").num("seq"));
    }
    seqs
}

#[test]
fn resume_replays_the_stream_from_the_last_read_seq() {
    let fixture = Fixture::new();
    let (mut ana, first) = fixture.client_and_login("ana");
    let (stream, after) = (first.text("stream").to_owned(), first.num("seq"));
    let mut rui = fixture.client("rui");
    ana.expect("joined");
    ana.fim();
    publish(&mut rui, 50, "missed");

    let (mut again, login) = resume(&fixture, "ana", &stream, after + 1);
    assert_eq!(
        login.num("seq"),
        after + 1,
        "it begins where the client stopped"
    );
    let last = publish(&mut rui, 5, "live");
    let seqs = heard(&mut again, last);
    assert_eq!(
        seqs,
        (after + 2..=last).collect::<Vec<_>>(),
        "no hole, no repeat"
    );
    fixture.finish();
}

#[test]
fn resume_at_the_head_gets_only_its_own_joined() {
    let fixture = Fixture::new();
    let (mut ana, first) = fixture.client_and_login("ana");
    let last = publish(&mut ana, 3, "x");
    ana.fim(); // its own left is last + 1
    let (mut again, login) = resume(&fixture, "ana", first.text("stream"), last);
    assert_eq!(login.num("seq"), last);
    assert_eq!(again.expect("left").num("seq"), last + 1);
    assert_eq!(again.expect("joined").num("seq"), last + 2);
    fixture.finish();
}

#[test]
fn resume_behind_the_tail_gets_one_gap_then_the_rest() {
    let fixture = Fixture::with(|config| {
        config.limits.log_bytes = 256 << 10;
        config.backpressure.window = 32 << 10;
    });
    let (mut ana, first) = fixture.client_and_login("ana");
    let body = "x".repeat(8 << 10);
    let last = publish(&mut ana, 100, &body);

    let (mut again, login) = resume(&fixture, "ana", first.text("stream"), 1);
    assert_eq!(login.num("seq"), 1);
    let gap = again.expect("gap");
    assert_eq!(gap.num("from"), 2, "it begins behind what was read");
    assert!(gap.num("to") < last, "the newest are held: {gap:?}");
    assert_eq!(
        heard(&mut again, last),
        (gap.num("to") + 1..=last).collect::<Vec<_>>()
    );
    fixture.finish();
}

#[test]
fn resume_in_another_stream_gets_one_gap_from_1() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    publish(&mut ana, 10, "x");
    let (mut rui, login) = resume(&fixture, "rui", "another", 3);
    let head = login.num("seq");
    let gap = rui.expect("gap");
    assert_eq!((gap.num("from"), gap.num("to")), (1, head));
    let last = publish(&mut ana, 1, "live");
    assert_eq!(heard(&mut rui, last), [head + 1]);
    fixture.finish();
}

#[test]
fn resume_ahead_of_the_stream_gets_one_gap_from_1() {
    let fixture = Fixture::new();
    let (mut ana, first) = fixture.client_and_login("ana");
    let (mut rui, login) = resume(&fixture, "rui", first.text("stream"), u64::MAX);
    let head = login.num("seq");
    let gap = rui.expect("gap");
    assert_eq!((gap.num("from"), gap.num("to")), (1, head));
    let last = publish(&mut ana, 1, "live");
    assert_eq!(heard(&mut rui, last), [head + 1]);
    fixture.finish();
}

#[test]
fn resume_ahead_by_one_gets_the_gap_despite_its_own_joined() {
    let fixture = Fixture::new();
    let (rui, first) = fixture.client_and_login("rui");
    let (stream, head) = (first.text("stream").to_owned(), first.num("seq"));
    let (mut ana, login) = resume(&fixture, "ana", &stream, head + 1);
    assert_eq!(login.num("seq"), head + 1);
    let gap = ana.expect("gap");
    assert_eq!((gap.num("from"), gap.num("to")), (1, head + 1));
    assert_eq!(ana.fim().num("last_seq"), head + 1);
    drop((rui, ana));
    fixture.finish();
}

#[test]
fn ack_behind_an_earlier_one_or_ahead_of_sent_has_no_effect() {
    let fixture = Fixture::new();
    let (mut ana, mut rui) = (fixture.client("ana"), fixture.client("rui"));
    let last = publish(&mut ana, 3, "a");
    heard(&mut rui, last);
    for seq in [last - 1, last - 2, last + 1, u64::MAX] {
        ana.ack(seq);
        rui.ack(seq + u64::from(seq < last) * 1_000);
    }
    // The report lists the sessions that are there when the server stops.
    fixture.begin_stop();
    ana.until("closing");
    rui.until("closing");
    drop((ana, rui));
    let acked = |user: &str, report: &arauto::Report| {
        let mut records = report.sessions.iter();
        let record = records.find(|record| record.user.as_deref() == Some(user));
        record.expect("it is in the report").acked.0
    };
    let report = fixture.assert_clean();
    assert_eq!(
        (acked("ana", &report), acked("rui", &report)),
        (last - 1, 0)
    );
}

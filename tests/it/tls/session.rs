//! A session over TLS is like any other session.

use std::collections::BTreeMap;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use arauto::Evidence;
use rustls::version::{TLS12, TLS13};
use serde_cbor::Value;

use super::Secured;
use crate::support::{Frame, FrameClient, PASSWORD, PausedHandler, block_on, login, tcp, text};

const OPEN: &str = "?registration=open";

/// The answer and the broadcast come in either order; their seq.
fn publish_and_hear(client: &mut FrameClient, body: &str) -> u64 {
    client.publish(2, body);
    let (mut answered, mut heard) = (None, None);
    while answered.is_none() || heard.is_none() {
        let frame = client.recv().expect("the session goes on");
        match frame.name.as_str() {
            "published" => answered = Some(frame.num("seq")),
            "message" if frame.text("body") == body => heard = Some(frame.num("seq")),
            _ => {}
        }
    }
    assert_eq!(answered, heard);
    answered.expect("it was waited for")
}

#[test]
fn tls_client_asks_publishes_reads_and_resumes() {
    for version in [&TLS13, &TLS12] {
        let secured = Secured::new(OPEN);
        let mut ana = secured.visitor_by(version);
        let entered = ana.log_in("ana");
        ana.request(1, "straße");
        assert_eq!(ana.expect("reply").text("body"), "STRASSE");
        let last = publish_and_hear(&mut ana, "um");
        let closing = ana.fim();
        assert_eq!(closing.num("accepted"), 2);
        drop(ana);

        let mut rui = secured.fixture.client("rui");
        rui.publish(1, "dois");
        rui.skip_to("published");
        let mut ana = secured.visitor_by(version);
        let resume = [
            (text("stream"), text(entered.text("stream"))),
            (text("after"), Value::Integer(last.into())),
        ];
        let resume = Value::Map(BTreeMap::from(resume));
        ana.send(&login(0, "ana", PASSWORD).with("resume", resume));
        ana.expect("logged_in");
        let heard = ana.until("message");
        assert_eq!(heard[0].num("seq"), last + 1, "no hole: {heard:?}");
        assert_eq!(heard.last().expect("it is there").text("body"), "dois");
        drop((ana, rui));
        secured.finish();
    }
}

#[test]
fn tls_frames_of_almost_1_mib_arrive_both_ways() {
    let secured = Secured::new(OPEN);
    let mut ana = secured.client("ana");
    let body = "x".repeat(1_000_000);
    ana.request(1, &body);
    assert_eq!(ana.expect("reply").text("body"), body.to_uppercase());
    publish_and_hear(&mut ana, &body);
    ana.fim();
    drop(ana);
    secured.finish();
}

#[test]
fn late_tls_reader_misses_none_of_20000_broadcasts() {
    const MESSAGES: u64 = 20_000;
    let secured = Secured::new(OPEN);
    let mut slow = secured.unauthenticated();
    let first = slow.log_in("slow").num("seq") + 1;
    let body = "x".repeat(500); // 10 MB in all: more than the sockets take
    let last = block_on(async {
        let mut last = None;
        for _ in 0..MESSAGES {
            last = secured.fixture.server.publish(body.as_str()).await.ok();
        }
        last.expect("it is published").0
    });
    assert_eq!(last, first + MESSAGES - 1);
    for seq in first..=last {
        let frame = slow.recv_item(Frame::parse).expect("the session goes on");
        assert!(frame.is("message"), "{frame:?}");
        assert_eq!(frame.num("seq"), seq, "no hole");
    }
    slow.fim();
    drop(slow);
    secured.finish();
}

#[test]
fn tls_fim_gives_closing_a_clean_end_and_evidence() {
    let secured = Secured::new(OPEN);
    let mut clients = ["ana", "rui", "zé"].map(|user| secured.client(user));
    let body = "x".repeat(100_000);
    for _ in 0..20 {
        block_on(secured.fixture.server.publish(body.as_str())).expect("it is published");
    }
    secured.fixture.begin_stop();
    for client in &mut clients {
        let frames = client.until("closing");
        let heard = frames.iter().filter(|frame| frame.is("message"));
        assert_eq!(heard.count(), 20);
        // An end without close_notify would be an error here.
        client.expect_end();
    }
    drop(clients);
    let report = secured.fixture.assert_clean();
    assert_eq!(report.sessions.len(), 3);
    for record in &report.sessions {
        assert_eq!(record.evidence, Evidence::KernelAcked, "{record:?}");
        assert_eq!(record.reason, "shutdown");
    }
}

#[test]
fn stalled_tls_reader_gives_no_evidence_and_is_reported() {
    let secured = Secured::with(OPEN, |_, config| {
        config.timeouts.drain = Duration::from_secs(2);
    });
    let stalled = secured.client("stalled");
    let body = "x".repeat(1_000_000);
    for _ in 0..20 {
        block_on(secured.fixture.server.publish(body.as_str())).expect("it is published");
    }
    secured.fixture.begin_stop();
    let report = secured.fixture.report();
    assert_eq!(report.exit, 3);
    assert!(!report.sessions[0].missing.is_empty(), "{report:#?}");
    assert!(report.sessions[0].evidence < Evidence::KernelAcked);
    drop(stalled);
}

#[test]
fn tls_fim_before_reading_still_gets_everything() {
    const MESSAGES: usize = 200;
    let secured = Secured::new(OPEN);
    let mut slow = secured.client("slow");
    let body = "x".repeat(50_000); // 10 MB in all: more than the sockets take
    for _ in 0..MESSAGES {
        block_on(secured.fixture.server.publish(body.as_str())).expect("it is published");
    }
    slow.ask("fim", 1);
    // The server is at its end with what it has to say while nothing was read yet.
    let frames = slow.until("closing");
    let heard = frames.iter().filter(|frame| frame.is("message"));
    assert_eq!(heard.count(), MESSAGES);
    slow.expect_end();
    drop(slow);
    secured.finish();
}

#[test]
fn tls_eof_without_close_notify_keeps_the_pending_reply() {
    let secured = Secured::new(OPEN);
    let stream = tcp(secured.endpoint());
    let below = stream.try_clone().expect("a descriptor is free");
    let mut ana = FrameClient::tls_on(stream, secured.paper.trusting(&TLS13));
    ana.expect("welcome");
    ana.log_in("ana");
    ana.request(1, "a");
    below.shutdown(Shutdown::Write).expect("it is open");
    assert_eq!(ana.skip_to("reply").text("body"), "A");
    ana.expect_closing("disconnected");
    drop(ana);
    secured.finish();
}

#[test]
fn tls_close_notify_keeps_the_pending_reply() {
    let held = PausedHandler::default();
    let handler = Arc::new(held.clone());
    let secured = Secured::with(OPEN, |_, config| config.handler = handler);
    let mut ana = secured.client("ana");
    ana.request(1, "a");
    ana.shut_write();
    held.wait_for_request();
    held.release();
    assert_eq!(ana.expect("reply").text("body"), "done");
    ana.expect_closing("disconnected");
    drop(ana);
    secured.finish();
}

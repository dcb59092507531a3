//! A part of the server panics.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arauto::{Answer, Body, Component, Handler, Millis, Phase, Request, StopReason, Trouble};

use super::HeldServer;
use crate::support::{Fixture, PausedHandler, ask, block_on};

#[test]
fn panicking_hub_stops_the_server_with_exit_70() {
    let broken = Arc::new(AtomicBool::new(false));
    let is_broken = Arc::clone(&broken);
    let fixture = Fixture::with(|config| {
        config.clock = Arc::new(move || {
            assert!(!is_broken.load(Ordering::Acquire), "on purpose");
            Millis::now()
        });
    });
    let mut ana = fixture.client("ana");
    let mut rui = fixture.client("rui");
    ana.expect("joined");
    broken.store(true, Ordering::Release);
    ana.publish(7, "the clock panics");
    for client in [&mut ana, &mut rui] {
        assert_eq!(client.skip_to("stopping").text("reason"), "panic");
        let last = client.until("closing");
        assert_eq!(last.last().expect("it is there").text("reason"), "shutdown");
    }
    for client in [&mut ana, &mut rui] {
        client.expect_end();
    }
    let report = fixture.report();
    assert_eq!((report.exit, report.reason), (70, StopReason::Panic));
    let trouble = Trouble::Panicked(Component::Hub);
    assert!(report.trouble.contains(&trouble), "{:?}", report.trouble);
}

#[test]
fn publish_that_panics_the_hub_is_answered_with_internal() {
    let broken = Arc::new(AtomicBool::new(false));
    let is_broken = Arc::clone(&broken);
    let fixture = Fixture::with(|config| {
        config.clock = Arc::new(move || {
            assert!(!is_broken.load(Ordering::Acquire), "on purpose");
            Millis::now()
        });
    });
    let mut ana = fixture.client("ana");
    broken.store(true, Ordering::Release);
    ana.publish(7, "the clock panics");
    let frames = ana.until("closing");
    let error = frames
        .iter()
        .find(|frame| frame.is("error"))
        .expect("it is answered");
    assert_eq!((error.num("id"), error.text("code")), (7, "internal"));
    assert_eq!(frames.last().expect("it is there").num("accepted"), 1);
    assert_eq!(fixture.report().exit, 70);
}

#[test]
fn handler_panic_in_the_drain_ends_its_own_session_only() {
    let HeldServer {
        fixture,
        held,
        mut holder,
    } = HeldServer::new("panic");
    let mut other = fixture.client("other");
    holder.expect("joined");
    fixture.begin_stop();
    other.expect("stopping");
    holder.expect("stopping");
    held.release();
    // The holder was not ended by the stop: that it has left may still be told.
    assert_eq!(other.skip_to("closing").text("reason"), "shutdown");
    while let Some(frame) = holder.recv() {
        assert!(!frame.is("reply"), "nobody answered: {frame:?}");
        if frame.is("closing") {
            assert_eq!(frame.num("accepted"), 0, "it counts answers");
        }
    }
    let report = fixture.report();
    let record = report
        .sessions
        .iter()
        .find(|record| record.user.as_deref() == Some("holder"));
    let record = record.expect("the report has every session");
    assert_eq!(record.reason, "internal");
    assert_eq!(
        (record.accepted, record.answered),
        (1, 0),
        "what was not answered is named"
    );
    assert_eq!((report.exit, report.reason), (3, StopReason::Fim));
    let others = report
        .sessions
        .iter()
        .filter(|one| one.reason != "internal");
    let others: Vec<_> = others.collect();
    assert_eq!(others.len(), 1);
    assert!(others[0].is_whole(), "{:?}", others[0]);
}

#[test]
fn session_panic_in_the_drain_makes_exit_3_for_it_alone() {
    let held = PausedHandler::default();
    let (handler, told) = (Arc::new(held.clone()), held.clone());
    let fixture = Fixture::with(|config| {
        config.timeouts.drain = Duration::from_secs(4);
        config.handler = handler;
        config.on_phase = Arc::new(move |line| match line.phase {
            Phase::Requests => assert!(!line.in_time, "the handler still has it"),
            Phase::Hub => told.release(), // the drain is next
            _ => {}
        });
    });
    let mut holder = fixture.client("holder");
    holder.request(1, "panic");
    held.wait_for_request();
    let mut other = fixture.client("other");
    fixture.begin_stop();
    let frames = holder.until("closing");
    let error = frames.iter().find(|frame| frame.is("error"));
    assert_eq!(error.expect("it is told").text("code"), "internal");
    assert_eq!(other.skip_to("closing").text("reason"), "shutdown");
    for client in [&mut holder, &mut other] {
        client.expect_end();
    }
    let report = fixture.report();
    assert_eq!((report.exit, &report.trouble), (3, &Vec::new()));
    let of = |reason: &str| {
        let mut found = report.sessions.iter().filter(|one| one.reason == reason);
        found
            .next()
            .unwrap_or_else(|| panic!("{reason}: {report:#?}"))
    };
    assert_eq!((of("internal").accepted, of("internal").answered), (1, 0));
    assert!(of("shutdown").is_whole(), "{report:#?}");
}

#[test]
fn bad_frame_after_stopping_is_answered_once() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    // In one piece: once `closing` is queued nothing is answered any more.
    let mut bytes = ask("shutdown", 5).bytes();
    bytes.extend_from_slice(&[0; 4]);
    ana.send_bytes(&bytes);
    ana.expect("stopping");
    ana.expect_error("bad-frame");
    ana.expect_closing("bad-frame");
    drop(ana);
    fixture.assert_clean();
}

/// Blocks its thread until the test releases it.
struct Blocked {
    began: Sender<()>,
    go: Mutex<Receiver<()>>,
}

impl Handler for Blocked {
    fn handle(&self, _request: Request<'_>) -> Answer {
        self.began.send(()).expect("the test listens");
        let go = self.go.lock().expect("nobody panicked with it");
        go.recv().expect("the close phase ends");
        Answer::now(Body::text("done"))
    }
}

#[test]
fn stop_with_a_blocked_arbiter_reports_unknown_sessions() {
    let (began, begun) = channel();
    let (go_on, go) = channel();
    let fixture = Fixture::with(|config| {
        config.timeouts.drain = Duration::from_secs(2);
        config.handler = Arc::new(Blocked {
            began,
            go: Mutex::new(go),
        });
        config.on_phase = Arc::new(move |line| {
            if line.phase == Phase::Actors {
                go_on.send(()).expect("the handler waits");
            }
        });
    });
    let mut ana = fixture.client("ana");
    ana.request(1, "hold");
    begun.recv().expect("the handler has it");
    fixture.begin_stop();
    let report = fixture.report();
    assert_eq!(report.exit, 3);
    for trouble in [Trouble::LogUnsealed, Trouble::ListenersUnsealed] {
        assert!(report.trouble.contains(&trouble), "{:?}", report.trouble);
    }
}

#[test]
fn session_failed_in_the_stop_has_its_missing_range() {
    let short = Duration::from_secs(4);
    let HeldServer {
        fixture,
        held,
        holder,
    } = HeldServer::with("panic", |config| config.timeouts.drain = short);
    let mut other = fixture.client("other");
    let body = "x".repeat(64 << 10);
    for _ in 0..40 {
        // More than a socket takes, for a holder that reads nothing.
        block_on(fixture.server.publish(body.as_str())).expect("the server is there");
    }
    fixture.begin_stop();
    other.skip_to("stopping");
    held.release();
    other.skip_to("closing");
    other.expect_end();
    let report = fixture.report();
    drop(holder);
    let named = |user: &str| {
        let mut sessions = report.sessions.iter();
        let found = sessions.find(|record| record.user.as_deref() == Some(user));
        found.expect("the report has every session")
    };
    let record = named("holder");
    assert_eq!(
        (record.reason.as_str(), record.cut),
        ("internal", report.head)
    );
    assert!(record.sent < report.head, "{record:?}");
    assert_eq!(record.missing, [(record.sent.next(), report.head)]);
    assert_eq!(named("other").missed(), 0);
    assert_eq!(report.exit, 3);
}

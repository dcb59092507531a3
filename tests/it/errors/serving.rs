//! The errors of frames in a session that is logged in.

use std::sync::Arc;
use std::time::Duration;

use arauto::{Answer, Handler, Request, Role, SlowPolicy};
use serde_cbor::Value;

use crate::support::{Fixture, PausedHandler, ask, bytes, publish, request, text};

#[test]
pub(super) fn frame_the_role_does_not_allow_is_forbidden() {
    let fixture = Fixture::with(|config| {
        config.default_role = Role::Leitor;
        Fixture::also(config, "tcp:127.0.0.1:0");
    });
    let mut ana = fixture.tcp_unauthenticated();
    ana.log_in("ana");
    for frame in [
        publish(5, text("a")),
        ask("shutdown", 5),
        ask("sessions", 5),
    ] {
        ana.send(&frame);
        assert_eq!(ana.expect_error("forbidden").num("id"), 5);
    }
    let closing = ana.fim();
    assert_eq!((closing.num("accepted"), closing.num("refused")), (3, 0));
    drop(ana);
    fixture.finish();
}

#[test]
pub(super) fn bytes_sent_to_upper_are_not_text() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    ana.send(&request(5, bytes(b"abc")));
    assert_eq!(ana.expect_error("not-text").num("id"), 5);
    ana.ping();
    fixture.finish();
}

#[test]
pub(super) fn session_without_frames_is_idle_timeout() {
    let fixture = Fixture::with(|config| config.timeouts.idle = Some(Duration::from_millis(100)));
    let mut ana = fixture.client("ana");
    ana.expect_error("idle-timeout");
    ana.expect_closing("idle-timeout");
    fixture.finish();
}

#[test]
pub(super) fn reader_behind_the_tail_is_slow_consumer() {
    let fixture = Fixture::with(|config| {
        config.slow = SlowPolicy::Disconnect;
        config.limits.log_bytes = 256 << 10;
        config.backpressure.window = 32 << 10;
        config.backpressure.patience = Duration::from_millis(50);
    });
    let mut slow = fixture.client("slow");
    let mut ana = fixture.client("ana");
    let body = "x".repeat(16 << 10);
    // More than the socket and the log hold together.
    for id in 0..200 {
        ana.publish(id, &body);
        ana.skip_to("published");
    }
    let frames = slow.until("error");
    assert_eq!(
        frames.last().expect("it is there").text("code"),
        "slow-consumer"
    );
    let closing = slow.expect_closing("slow-consumer");
    let seqs: Vec<u64> = frames
        .iter()
        .filter(|frame| frame.is("message") || frame.is("joined"))
        .map(|frame| frame.num("seq"))
        .collect();
    assert_eq!(
        seqs,
        (2..2 + seqs.len() as u64).collect::<Vec<_>>(),
        "no hole before the end"
    );
    assert_eq!(
        seqs.last(),
        Some(&closing.num("last_seq")),
        "the last that was sent"
    );
    ana.ping();
    fixture.finish();
}

#[test]
pub(super) fn frame_after_the_cut_is_stopping() {
    let held = PausedHandler::default();
    let handler = Arc::new(held.clone());
    let fixture = Fixture::with(|config| config.handler = handler);
    let (mut ana, mut rui) = (fixture.client("ana"), fixture.client("rui"));
    ana.expect("joined");
    ana.request(1, "a");
    held.wait_for_request();
    fixture.begin_stop();
    rui.expect("stopping");
    let late = [
        request(5, text("a")),
        publish(6, text("a")),
        ask("who", 7),
        ask("ping", 8),
    ];
    for frame in &late {
        rui.send(frame);
    }
    for id in 5..9 {
        assert_eq!(rui.expect_error("stopping").num("id"), id);
    }
    held.release();
    let closing = rui.expect("closing");
    assert_eq!((closing.num("accepted"), closing.num("refused")), (0, 4));
    ana.skip_to("reply");
    ana.expect_closing("shutdown");
    rui.expect_end();
    fixture.assert_clean();
}

/// Panics, at once or in its future.
struct Panics;

impl Handler for Panics {
    fn handle(&self, request: Request<'_>) -> Answer {
        match request.body.as_text() {
            Some("now") => panic!("on purpose"),
            Some("later") => Answer::later(async { panic!("on purpose, later") }),
            _ => Answer::now("fine"),
        }
    }
}

#[test]
pub(super) fn panicking_handler_ends_its_session_with_internal() {
    let fixture = Fixture::with(|config| config.handler = Arc::new(Panics));
    let mut other = fixture.client("other");
    for when in ["now", "later"] {
        let mut ana = fixture.client("ana");
        ana.request(1, when);
        ana.expect_error("internal");
        ana.expect_closing("internal");
    }
    other.request(1, "well?");
    let frames = other.until("reply");
    assert_eq!(frames.last().expect("it is there").text("body"), "fine");
    assert!(
        frames.iter().any(|frame| frame.is("left")),
        "the others hear that ana is gone"
    );
    fixture.finish();
}

#[test]
pub(super) fn number_out_of_its_range_is_bad_value() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let number = |n: u64| Value::Integer(n.into());
    let numbered = |id, producer: &str, n| {
        let frame = publish(id, text("a")).with("producer", text(producer));
        frame.with("n", number(n))
    };
    for frame in [
        publish(5, text("a")).with("producer", text("p")),
        publish(5, text("a")).with("n", number(1)),
        numbered(5, "p", 0),
        numbered(5, "", 1),
        numbered(5, &"p".repeat(65), 1),
    ] {
        ana.send_bytes(&frame.bytes()); // the schema has some of these only
        assert_eq!(ana.expect_error("bad-value").num("id"), 5);
    }
    ana.send(&numbered(6, &"p".repeat(64), 1));
    ana.skip_to("published");
    let closing = ana.fim();
    assert_eq!((closing.num("accepted"), closing.num("refused")), (6, 0));
    drop(ana);
    fixture.finish();
}

#[test]
pub(super) fn number_above_the_next_one_is_out_of_order() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let numbered = |id, n: u64| {
        let frame = publish(id, text("a")).with("producer", text("p"));
        frame.with("n", Value::Integer(n.into()))
    };
    ana.send(&numbered(5, 1));
    ana.skip_to("published");
    ana.send(&numbered(6, 3));
    let error = ana.skip_to("error");
    let told = (error.text("code"), error.num("id"));
    assert_eq!(told, ("out-of-order", 6));
    ana.send(&numbered(7, 2));
    ana.skip_to("published");
    ana.fim();
    drop(ana);
    fixture.finish();
}

//! Bounds and bad values.

use super::{call, expect, expect_failed, member, number, offer, responder, take};
use crate::support::{Fixture, Frame, request, text};

#[test]
fn values_out_of_range_are_named_and_end_nothing() {
    let fixture = Fixture::new();
    let mut ana = member(&fixture, "ana");
    let long = "s".repeat(65);
    let offer =
        |service: &str| Frame::new("offer", [("id", number(9)), ("service", text(service))]);
    let bad = [
        (offer(""), "service"),
        (offer(&long), "service"),
        (offer("up").with("limit", number(0)), "limit"),
        (call(9, &long, "a"), "service"),
        (call(9, "up", "a").with("timeout", number(0)), "timeout"),
        (
            call(9, "up", "a").with("timeout", number(3_600_001)),
            "timeout",
        ),
        (request(9, text("a")).with("timeout", number(5)), "timeout"),
    ];
    for (frame, named) in bad {
        ana.send_bytes(&frame.bytes());
        let message = expect_failed(&mut ana, 9, "bad-value");
        assert!(message.contains(named), "{message}");
    }
    ana.ping();
    drop(ana);
    fixture.finish();
}

#[test]
fn welcome_names_the_limits_and_they_hold() {
    let fixture = Fixture::with(|config| {
        config.limits.offers = 2;
        config.limits.calls = 3;
        config.limits.waiting_calls = 1;
    });
    let mut eva = fixture.connected();
    let welcome = eva.expect("welcome");
    assert!(welcome.texts("features").contains(&"services"));
    let limits = format!("{:?}", welcome.get("limits"));
    for limit in ["offers", "calls", "waiting_calls"] {
        assert!(limits.contains(&format!("\"{limit}\"")), "{limits}");
    }
    drop(eva);

    let mut rui = responder(&fixture, "rui", "up", 1);
    offer(&mut rui, "down", 9);
    let third = Frame::new("offer", [("id", number(3)), ("service", text("third"))]);
    rui.send(&third);
    expect_failed(&mut rui, 3, "too-many");

    let mut ana = member(&fixture, "ana");
    ana.send(&call(1, "up", "given"));
    ana.send(&call(2, "up", "waits"));
    ana.send(&call(3, "up", "one too many waits"));
    expect_failed(&mut ana, 3, "throttled");
    ana.send(&call(4, "down", "given"));
    ana.send(&call(5, "down", "one too many of the caller"));
    let error = expect(&mut ana, "error");
    assert_eq!((error.num("id"), error.text("code")), (5, "throttled"));
    assert!(error.num("retry_after") > 0);
    take(&mut rui);
    take(&mut rui);
    drop((ana, rui));
    fixture.finish();
}

#[test]
fn reply_that_is_too_long_for_the_caller_is_an_error() {
    let fixture = Fixture::with(|config| config.limits.max_frame = 2000);
    let mut rui = responder(&fixture, "rui", "up", 1);
    let mut ana = member(&fixture, "ana");
    ana.send(&call(1, "up", "a"));
    let (first, _) = take(&mut rui);
    // The answer's frame is shorter than the reply's.
    let body = text(&"x".repeat(1975));
    let answer = Frame::new("answer", [("call", number(first)), ("body", body)]);
    rui.send(&answer);
    expect_failed(&mut ana, 1, "frame-too-large");
    ana.ping();
    // The request's frame is shorter than the call's.
    ana.send(&call(2, "up", &"x".repeat(1960)));
    expect_failed(&mut ana, 2, "frame-too-large");
    rui.ping();
    drop((ana, rui));
    fixture.finish();
}

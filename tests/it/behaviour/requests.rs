//! Row 6: requests and their handlers.

use std::sync::Arc;

use arauto::{Answer, Handler, Request};

use crate::support::{Fixture, bytes, request};

#[test]
fn upper_handler_answers_in_unicode_upper_case() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    for (number, (asked, answer)) in (0..).zip([
        ("straße", "STRASSE"),
        ("olá", "OLÁ"),
        ("ŉ ﬁ", "ʼN FI"),
        ("", ""),
        ("a\nb", "A\nB"),
    ]) {
        ana.request(number, asked);
        let reply = ana.expect("reply");
        assert_eq!((reply.num("id"), reply.text("body")), (number, answer));
    }
    fixture.finish();
}

#[test]
fn endpoint_option_selects_the_handler() {
    let echo = Fixture::listening("?handler=echo", |_| {});
    let mut ana = echo.client("ana");
    ana.send(&request(1, bytes(&[1, 0xfe])));
    assert_eq!(ana.expect("reply").get("body"), Some(&bytes(&[1, 0xfe])));
    echo.finish();

    let fixed = Fixture::listening("?handler=fixed:bom%20dia", |_| {});
    let mut ana = fixed.client("ana");
    ana.request(1, "?");
    assert_eq!(ana.expect("reply").text("body"), "bom dia");
    fixed.finish();
}

/// Answers each second request later than the ones around it would like.
struct Uneven;

impl Handler for Uneven {
    fn handle(&self, request: Request<'_>) -> Answer {
        let body = request.body.into_owned();
        if body.as_bytes().len().is_multiple_of(2) {
            return Answer::now(body);
        }
        Answer::later(async move {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            Ok(body)
        })
    }
}

#[test]
fn session_answers_keep_the_order_of_the_frames() {
    let fixture = Fixture::with(|config| config.handler = Arc::new(Uneven));
    let mut ana = fixture.client("ana");
    for id in 0..300 {
        match id % 5 {
            0 => ana.ask("ping", id),
            1 => ana.ask("who", id),
            2 => ana.publish(id, "x"),
            _ => ana.request(id, &"y".repeat(id as usize % 7)),
        }
    }
    let mut answered = Vec::new();
    while answered.len() < 300 {
        let frame = ana.recv().expect("the session goes on");
        if !frame.is("message") {
            answered.push(frame.num("id"));
        }
    }
    assert_eq!(answered, (0..300).collect::<Vec<_>>());
    fixture.finish();
}

/// Tells who asks.
struct Who;

impl Handler for Who {
    fn handle(&self, request: Request<'_>) -> Answer {
        Answer::now(format!("{} {}", request.user, request.session))
    }
}

#[test]
fn handler_gets_the_user_of_the_request() {
    let fixture = Fixture::with(|config| config.handler = Arc::new(Who));
    let mut client = fixture.connected();
    let session = client.expect("welcome").num("session");
    client.log_in("ana");
    client.request(1, "");
    assert_eq!(
        client.expect("reply").text("body"),
        format!("ana {session}")
    );
    fixture.finish();
}

//! The errors of bytes that are not valid frames.

use arauto::wire::{MAX_FRAME, MAX_FRAME_BEFORE_LOGIN};

use serde_cbor::Value;

use crate::support::{Fixture, Frame, ask, bytes, prefixed, publish, text};

#[test]
pub(super) fn garbage_bytes_are_bad_frame() {
    let fixture = Fixture::new();
    let bad: &[&[u8]] = &[
        b"",                               // a length of 0
        b"\xff",                           // a break
        b"\xa0",                           // no name
        b"\xa1\x64ping\x01",               // no map
        b"\xa1\x64ping\xa0",               // no id
        b"\xa1\x64ping\xa1\x62id\x20",     // a negative id
        b"\xa1\x64ping\xa1\x62id\x01!",    // something follows
        b"\xa1\x64pang\xa1\x62id\x01",     // a name that is none
        b"\xa1\x64pong\xa1\x62id\x01",     // a server's frame
        b"\xc1\xa1\x64ping\xa1\x62id\x01", // a tag
    ];
    for item in bad {
        let mut client = fixture.unauthenticated();
        client.send_bytes(&prefixed(item));
        let error = client.expect_error("bad-frame");
        assert!(error.get("id").is_none(), "{item:?}: {error:?}");
        client.expect_closing("bad-frame");
    }
    fixture.finish();
}

#[test]
fn bad_frame_after_login_is_answered_in_order() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    ana.request(1, "a");
    ana.publish(2, "b");
    ana.send_bytes(&prefixed(b"\xff"));
    let frames = ana.until("closing");
    ana.expect_end();
    let answers: Vec<&str> = frames
        .iter()
        .map(|frame| frame.name.as_str())
        .filter(|name| *name != "message")
        .collect();
    assert_eq!(answers, ["reply", "published", "error", "closing"]);
    assert_eq!(frames.last().expect("it is there").num("accepted"), 2);
    fixture.finish();
}

#[test]
pub(super) fn frame_over_the_limit_is_frame_too_large() {
    let fixture = Fixture::new();
    let over = |limit: usize| u32::try_from(limit + 1).expect("it fits").to_be_bytes();

    let mut unauthenticated = fixture.unauthenticated();
    unauthenticated.send_bytes(&over(MAX_FRAME_BEFORE_LOGIN));
    unauthenticated.expect_error("frame-too-large");
    unauthenticated.expect_closing("frame-too-large");

    let mut ana = fixture.client("ana");
    ana.request(1, &"x".repeat(MAX_FRAME_BEFORE_LOGIN + 1));
    ana.expect("reply");
    ana.send_bytes(&over(MAX_FRAME));
    ana.expect_error("frame-too-large");
    ana.expect_closing("frame-too-large");
    fixture.finish();
}

#[test]
fn frame_of_exactly_the_limit_is_served() {
    let fixture = Fixture::with(|config| config.limits.max_frame = 4096);
    let mut ana = fixture.client("ana");
    let body = "x".repeat(
        4096 - crate::support::request(1, crate::support::text(""))
            .item()
            .len()
            - 2,
    );
    let frame = crate::support::request(1, crate::support::text(&body));
    assert_eq!(frame.item().len(), 4096);
    ana.send(&frame);
    assert_eq!(ana.expect("reply").text("body").len(), body.len());
    fixture.finish();
}

#[test]
pub(super) fn bytes_of_another_protocol_are_unsupported() {
    let fixture = Fixture::new();
    let foreign: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"/login ana segredo\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ];
    for bytes in foreign {
        let mut client = fixture.unauthenticated();
        client.send_bytes(bytes);
        client.expect_error("unsupported");
        client.expect_closing("unsupported");
    }
    fixture.finish();
}

#[test]
fn body_of_max_body_is_published_and_a_longer_one_refused() {
    let fixture = Fixture::with(|config| config.limits.max_frame = 4096);
    let mut ana = fixture.connected();
    let max_body = ana.expect("welcome").num("max_body");
    let body = |length: u64| text(&"x".repeat(usize::try_from(length).expect("it is short")));
    ana.log_in(&"a".repeat(64));
    ana.send(&publish(1, body(max_body)));
    ana.send(&publish(2, body(max_body + 1)));
    ana.send(&publish(3, bytes(&vec![0; 4000 - 2])));
    let frames = ana.until("error");
    assert!(
        frames.iter().any(|frame| frame.is("published")),
        "{frames:?}"
    );
    let refused = [frames.last().expect("it is there"), &ana.skip_to("error")];
    for (error, id) in refused.into_iter().zip([2, 3]) {
        assert_eq!(
            (error.text("code"), error.num("id")),
            ("frame-too-large", id)
        );
    }
    let closing = ana.fim();
    assert_eq!((closing.num("accepted"), closing.num("last_seq")), (3, 2));
    drop(ana);
    fixture.finish();
}

#[test]
fn reply_too_long_is_refused_without_ending_the_session() {
    let fixture = Fixture::listening("?handler=fixed:%C3%9F", |config| {
        let long = "ß".repeat(3000);
        config.limits.max_frame = 4096;
        config.listen[0].handler = Some(arauto::HandlerOption::Fixed(long));
    });
    let mut ana = fixture.client("ana");
    ana.request(1, "a");
    assert_eq!(ana.expect_error("frame-too-large").num("id"), 1);
    ana.ping();
    fixture.finish();
}

#[test]
fn frames_of_services_before_the_login_are_refused() {
    let fixture = Fixture::new();
    let mut ana = fixture.unauthenticated();
    let frames = [
        ask("offer", 1).with("service", text("s")),
        ask("withdraw", 2).with("service", text("s")),
        crate::support::request(3, text("a")).with("service", text("s")),
        ask("services", 4),
    ];
    for (id, frame) in (1..).zip(&frames) {
        ana.send(frame);
        assert_eq!(ana.expect_error("not-logged-in").num("id"), id);
    }
    ana.log_in("ana");
    ana.fim();
    drop(ana);
    fixture.finish();
}

/// A bad frame as long as a frame may be: the name, a key's value, a key.
#[test]
fn error_about_the_longest_bad_frame_is_short() {
    let fixture = Fixture::new();
    let long = "\u{1b}".repeat(MAX_FRAME - 64);
    let bad = [
        Frame::new(&long, [("id", Value::Integer(1))]),
        Frame::new("ping", [("id", text(&long))]),
        Frame::new("request", [("id", text(&long)), ("body", text("a"))]),
        Frame::new("request", [("id", Value::Integer(1)), (&long, text("a"))]),
    ];
    for frame in bad {
        let mut ana = fixture.client("ana");
        ana.send_bytes(&frame.bytes());
        let error = ana.expect_error("bad-frame");
        let message = error.text("message");
        assert!(message.len() < 256, "{} bytes", message.len());
        assert!(message.contains("(at byte "), "{message}");
        ana.expect_closing("bad-frame");
    }
    fixture.finish();
}

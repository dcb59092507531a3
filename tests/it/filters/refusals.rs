//! Wrong topics, patterns and keys.

use serde_cbor::Value;

use super::{keep, listening, post, published, refused, subscribe, texts};
use crate::support::{Fixture, PASSWORD, ask, login, publish, text};

#[test]
fn wrong_topic_is_refused_with_its_position() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    for (topic, at) in [
        ("a/+", "at byte 2"),
        ("", ""),
        ("$sys/x", "at byte 0"),
        ("a\u{0}", "at byte 1"),
    ] {
        let message = refused(&mut ana, &post(1, topic, "x"), "bad-topic");
        assert!(message.contains(at), "{message}");
    }
    refused(&mut ana, &post(2, &"x".repeat(257), "x"), "bad-topic");
    published(&mut ana, &post(3, &"x".repeat(256), "x"));
    let keep_to = keep(4, "a", "x").with("to", text("ana"));
    refused(&mut ana, &keep_to, "bad-topic");
    let no_topic = publish(5, text("x")).with("keep", Value::Bool(true));
    refused(&mut ana, &no_topic, "bad-topic");
    published(
        &mut ana,
        &publish(6, text("x")).with("keep", Value::Bool(false)),
    );
    let headers: Vec<(Value, Value)> = (0..33)
        .map(|number| (text(&number.to_string()), text("")))
        .collect();
    let headers = Value::Map(headers.into_iter().collect());
    let many = publish(7, text("x")).with("headers", headers);
    refused(&mut ana, &many, "bad-value");
    drop(ana);
    fixture.finish();
}

#[test]
fn login_with_a_bad_pattern_registers_nobody() {
    let fixture = Fixture::new();
    let mut ana = fixture.unauthenticated();
    let with = login(1, "ana", PASSWORD).with("filter", texts(&["ok", "a/#/b"]));
    ana.send(&with);
    let error = ana.expect_error("bad-topic");
    assert!(error.text("message").contains("pattern 2"), "{error:?}");
    assert!(ana.log_in("ana").flag("registered"));
    refused(
        &mut ana,
        &ask("subscribe", 2).with("add", texts(&["a", "+b"])),
        "bad-topic",
    );
    assert_eq!(subscribe(&mut ana, &["c"], &[]).texts("filter"), ["c"]);
    drop(ana);
    fixture.finish();
}

#[test]
fn filter_above_its_limit_is_too_many_and_stays() {
    let fixture = Fixture::with(|config| config.limits.patterns = 2);
    let mut ana = fixture.unauthenticated();
    ana.send(&login(1, "ana", PASSWORD).with("filter", texts(&["a", "b", "c"])));
    ana.expect_error("too-many");
    let (mut ana, _) = listening(&fixture, "ana", &["a", "b"]);
    refused(
        &mut ana,
        &ask("subscribe", 2).with("add", texts(&["c"])),
        "too-many",
    );
    let replaced = subscribe(&mut ana, &["c"], &["a"]);
    assert_eq!(replaced.texts("filter"), ["b", "c"]);
    drop(ana);
    fixture.finish();
}

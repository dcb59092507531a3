//! Logins whose cursor is refused.

use serde_cbor::Value;

use super::open;
use crate::support::{Fixture, PASSWORD, login, text};

#[test]
pub fn cursor_above_the_limit_of_its_account_is_too_many() {
    let fixture = Fixture::with(|config| config.limits.cursors = 2);
    let mut witness = fixture.client("witness");
    for cursor in ["a", "b"] {
        let mut rui = fixture.unauthenticated();
        open(&mut rui, "rui", cursor);
        rui.fim();
    }
    for name in ["joined", "left", "joined", "left"] {
        assert_eq!(witness.expect(name).text("user"), "rui");
    }
    let mut rui = fixture.unauthenticated();
    rui.send(&login(5, "rui", PASSWORD).with("cursor", text("c")));
    let refused = rui.expect_error("too-many");
    assert_eq!(refused.num("id"), 5);
    assert!(refused.text("message").contains("2 cursors"), "{refused:?}");
    // The session goes on, and other accounts and known cursors are served.
    open(&mut rui, "rui", "b");
    let mut eva = fixture.unauthenticated();
    open(&mut eva, "eva", "c");
    // The refused login was not announced.
    assert_eq!(witness.expect("joined").text("user"), "rui");
    assert_eq!(witness.expect("joined").text("user"), "eva");
    fixture.finish();
}

#[test]
fn cursor_with_resume_or_of_a_wrong_length_is_bad_value() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let point = [
        (text("stream"), text("s")),
        (text("after"), Value::Integer(0)),
    ];
    let mut rui = fixture.unauthenticated();
    let both = login(2, "rui", PASSWORD).with("cursor", text("c"));
    rui.send(&both.with("resume", Value::Map(point.into())));
    assert_eq!(rui.expect_error("bad-value").num("id"), 2);
    for name in [String::new(), "x".repeat(65)] {
        rui.send(&login(3, "rui", PASSWORD).with("cursor", text(&name)));
        assert_eq!(rui.expect_error("bad-value").num("id"), 3);
    }
    assert!(open(&mut rui, "rui", &"x".repeat(64)).flag("registered"));
    ana.expect("joined");
    fixture.finish();
}

#[test]
fn welcome_lists_the_feature_and_its_limit() {
    let fixture = Fixture::with(|config| config.limits.cursors = 7);
    let mut client = fixture.connected();
    let welcome = client.expect("welcome");
    let Some(Value::Array(features)) = welcome.get("features") else {
        panic!("it lists features: {welcome:?}");
    };
    assert!(features.contains(&text("cursor")));
    let Some(Value::Map(limits)) = welcome.get("limits") else {
        panic!("it has limits: {welcome:?}");
    };
    assert_eq!(limits.get(&text("cursors")), Some(&Value::Integer(7)));
    drop(client);
    fixture.finish();
}

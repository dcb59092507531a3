//! Roles and an operator's rules.

use std::path::Path;
use std::process::Command;

use arauto::Role;

use super::{call, expect, expect_failed, member, number, reply, responder, take};
use crate::support::{Fixture, Frame, text, wait_until};

#[test]
fn leitor_may_call_and_not_offer() {
    let fixture = Fixture::with(|config| config.default_role = Role::Leitor);
    let mut ana = member(&fixture, "ana");
    ana.send(&call(1, "up", "a"));
    expect_failed(&mut ana, 1, "unavailable");
    let offer = Frame::new("offer", [("id", number(2)), ("service", text("up"))]);
    ana.send(&offer);
    expect_failed(&mut ana, 2, "forbidden");
    drop(ana);
    fixture.finish();
}

#[test]
fn offer_that_is_no_longer_allowed_is_withdrawn_and_calls_go_on() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let data = folder.path().join("data");
    let fixture = Fixture::with(|config| config.storage.data = Some(data.clone()));
    let mut rui = responder(&fixture, "rui", "up/fast", 2);
    let mut ana = member(&fixture, "ana");
    ana.send(&call(1, "up/fast", "a"));
    let (first, _) = take(&mut rui);
    deny(&data, "rui", "offer", "up/#");
    let withdrawn = expect(&mut rui, "withdrawn");
    assert_eq!(withdrawn.text("service"), "up/fast");
    assert_eq!(withdrawn.get("id"), None);
    ana.send(&call(2, "up/fast", "b"));
    expect_failed(&mut ana, 2, "unavailable");
    reply(&mut rui, first, "x");
    assert_eq!(expect(&mut ana, "reply").num("id"), 1);
    let again = Frame::new("offer", [("id", number(3)), ("service", text("up/fast"))]);
    rui.send(&again);
    expect_failed(&mut rui, 3, "forbidden");
    deny(&data, "ana", "call", "down");
    wait_until("the rule counts", || {
        ana.send(&call(4, "down", "c"));
        expect(&mut ana, "error").text("code") == "forbidden"
    });
    drop((ana, rui));
    fixture.finish();
}

fn deny(data: &Path, user: &str, kind: &str, pattern: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_arauto"))
        .args(["users", "deny", user, kind, pattern, "--data"])
        .arg(data)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{output:?}");
}

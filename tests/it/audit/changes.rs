//! Changes of accounts and rules by `arauto users`, as the running server sees them.

use serde_json::{Value, json};

use super::Audited;
use crate::support::{finish, watchdog};

/// Returns a record without its time and event.
fn facts(mut record: Value) -> Value {
    let fields = record.as_object_mut().expect("it is an object");
    assert!(fields.remove("time").is_some() && fields.remove("event").is_some());
    record
}

#[test]
fn changes_of_accounts_are_recorded() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    let expect = |expected: Value| {
        let of_account = |record: &Value| record["event"] == "account";
        let is_it = |record: &Value| of_account(record) && facts(record.clone()) == expected;
        audited.wait_for(&expected.to_string(), is_it);
    };
    audited.users(&["add", "rui"]).expect_success();
    expect(json!({"user": "rui", "change": "added", "role": "escritor"}));
    audited.users(&["role", "rui", "admin"]).expect_success();
    expect(json!({"user": "rui", "change": "role", "role": "admin"}));
    let mut passwd = audited.served.users(&["passwd", "rui"]);
    finish(passwd.env("ARAUTO_PASSWORD", "nova senha"), "").expect_success();
    expect(json!({"user": "rui", "change": "password"}));
    audited.users(&["remove", "rui"]).expect_success();
    expect(json!({"user": "rui", "change": "removed"}));
    // A registration is a login's own, and not another process's.
    audited.visit("ana");
    audited.users(&["add", "eva"]).expect_success();
    expect(json!({"user": "eva", "change": "added", "role": "escritor"}));
    let records = audited.stop();
    let of_ana = |record: &&Value| record["event"] == "account" && record["user"] == "ana";
    assert_eq!(records.iter().filter(of_ana).count(), 0, "{records:#?}");
    let text = Value::from(records).to_string();
    assert!(!text.contains("nova") && !text.contains("argon2"), "{text}");
}

#[test]
fn changes_of_rules_are_recorded() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    audited.users(&["add", "rui"]).expect_success();
    let expect = |expected: Value| {
        let of_rule = |record: &Value| record["event"] == "rule";
        let is_it = |record: &Value| of_rule(record) && facts(record.clone()) == expected;
        audited.wait_for(&expected.to_string(), is_it);
    };
    let of_rui = |change: &str| {
        json!({
            "user": "rui", "change": change,
            "kind": "publish", "pattern": "a/#", "effect": "allow",
        })
    };
    audited
        .users(&["allow", "rui", "publish", "a/#"])
        .expect_success();
    expect(of_rui("added"));
    audited
        .users(&["deny", "--all", "call", "b"])
        .expect_success();
    expect(json!({"change": "added", "kind": "call", "pattern": "b", "effect": "deny"}));
    audited
        .users(&["forget", "rui", "publish", "a/#"])
        .expect_success();
    expect(of_rui("removed"));
    audited.stop();
}

#[test]
fn import_is_recorded_account_by_account_with_its_rules() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    audited
        .users(&["add", "--role", "admin", "olga"])
        .expect_success();
    audited
        .users(&["deny", "olga", "offer", "x"])
        .expect_success();
    // A change that is taken back before the server has looked is none.
    audited.wait_for_event("rule");
    let file = audited.served.folder.path().join("users.tsv");
    let file = file.to_str().expect("it is text");
    audited.users(&["export", file]).expect_success();
    audited
        .users(&["forget", "olga", "offer", "x"])
        .expect_success();
    audited.users(&["remove", "olga"]).expect_success();
    for event in ["rule", "account"] {
        audited.wait_for("what is imported is gone", |record| {
            record["event"] == event && record["change"] == "removed"
        });
    }
    let before = audited.records().len();
    audited.users(&["import", file]).expect_success();
    let is_imported = || {
        let records = audited.records();
        let new = records[before..].iter();
        new.filter(|record| record["user"] == "olga" && record["change"] == "added")
            .count()
            == 2
    };
    crate::support::wait_until("account and rule are recorded", is_imported);
    audited.stop();
}

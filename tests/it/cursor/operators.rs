//! The list of cursors and the removal of one, by the frames.

use arauto::{Config, Retention, Role};
use serde_cbor::Value;

use super::{ack, heard, open, publish, stored};
use crate::support::{Fixture, Frame, FrameClient, ask, text};

fn remove(id: u64, account: &str, name: &str) -> Frame {
    let frame = ask("remove_cursor", id).with("account", text(account));
    frame.with("name", text(name))
}

/// Returns the lines of the list as account, name, seq, messages, bytes, and whether a session has it.
fn list(client: &mut FrameClient) -> Vec<(String, String, u64, u64, u64, bool)> {
    client.ask("cursors", 5);
    let list = client.skip_to("cursors");
    assert!(list.get("more").is_none());
    let Some(Value::Array(lines)) = list.get("cursors") else {
        panic!("a list has lines: {list:?}");
    };
    let line = |line: &Value| {
        let Value::Map(line) = line else {
            panic!("a line is a map: {line:?}");
        };
        let word = |key: &str| match &line[&text(key)] {
            Value::Text(word) => word.clone(),
            other => panic!("{key} is a text: {other:?}"),
        };
        let number = |key: &str| match line[&text(key)] {
            Value::Integer(number) => u64::try_from(number).expect("it is unsigned"),
            ref other => panic!("{key} is a number: {other:?}"),
        };
        (
            word("account"),
            word("name"),
            number("seq"),
            number("messages"),
            number("bytes"),
            line.contains_key(&text("session")),
        )
    };
    lines.iter().map(line).collect()
}

#[test]
fn list_tells_how_far_each_cursor_lags() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let fixture = Fixture::with(|config: &mut Config| {
        config.storage.data = Some(folder.path().join("data"));
        config.storage.journal = Some(Retention::default());
        config.limits.log_bytes = 256 << 10;
        config.backpressure.window = 32 << 10;
    });
    let mut ana = fixture.client("ana");
    assert_eq!(list(&mut ana), []);
    let mut rui = fixture.unauthenticated();
    let begin = open(&mut rui, "rui", "b").num("seq");
    rui.fim();
    drop(rui);
    let body = "x".repeat(8 << 10);
    let mut last = 0;
    for id in 0..100 {
        ana.publish(id, &body);
        last = ana.skip_to("published").num("seq");
    }
    let mut eva = fixture.unauthenticated();
    open(&mut eva, "eva", "a");
    let last = publish(&mut ana, 1).max(last);
    heard(&mut eva, last);
    ack(&mut eva, last);
    let lines = list(&mut ana);
    let [(account, name, seq, messages, bytes, is_held), behind] = &lines[..] else {
        panic!("there are two: {lines:?}");
    };
    let line = (
        account.as_str(),
        name.as_str(),
        *seq,
        *messages,
        *bytes,
        *is_held,
    );
    assert_eq!(line, ("eva", "a", last, 0, 0, true));
    let (account, name, seq, messages, bytes, is_held) = behind;
    assert_eq!((account.as_str(), name.as_str()), ("rui", "b"));
    assert_eq!((*seq, *messages, *is_held), (begin, last - begin, false));
    let expected = 100 * (8 << 10);
    assert!(
        (expected..expected + 100 * 100).contains(bytes),
        "also what only the journal has: {bytes}"
    );
    drop((ana, eva));
    fixture.finish();
}

#[test]
fn list_comes_in_parts_that_fit_into_a_frame() {
    let fixture = Fixture::with(|config| config.limits.max_frame = 4096);
    let mut ana = fixture.client("ana");
    for number in 0..40 {
        let mut rui = fixture.unauthenticated();
        let user = format!("rui{}", number % 2);
        open(&mut rui, &user, &format!("{number:064}"));
        rui.fim();
    }
    let mut names = Vec::new();
    let mut after = None;
    loop {
        let frame = ask("cursors", 5);
        ana.send(&match after.take() {
            None => frame,
            Some(after) => frame.with("after", after),
        });
        let page = ana.skip_to("cursors");
        let Some(Value::Array(lines)) = page.get("cursors") else {
            panic!("a list has lines: {page:?}");
        };
        assert!(lines.len() <= 16);
        for line in lines {
            let Value::Map(line) = line else {
                panic!("a line is a map: {line:?}");
            };
            let key = ["account", "name"].map(|key| (text(key), line[&text(key)].clone()));
            names.push(format!("{:?}", key));
            after = Some(Value::Map(key.into()));
        }
        if page.get("more").is_none() {
            break;
        }
    }
    assert_eq!(names.len(), 40);
    assert!(names.is_sorted());
    drop(ana);
    fixture.finish();
}

#[test]
fn removed_cursor_begins_anew_and_its_session_goes_on() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let database = folder.path().join("data/arauto.db");
    let fixture = Fixture::with(|config: &mut Config| {
        config.storage.data = Some(folder.path().join("data"));
        config.storage.journal = Some(Retention::default());
    });
    let mut ana = fixture.client("ana");
    let mut rui = fixture.unauthenticated();
    open(&mut rui, "rui", "c");
    ana.send(&remove(7, "rui", "c"));
    assert!(ana.skip_to("cursor_removed").flag("removed"));
    assert_eq!(stored(&database, "rui", "c"), None, "at once");
    ana.send(&remove(8, "rui", "c"));
    assert!(!ana.skip_to("cursor_removed").flag("removed"));
    let last = publish(&mut ana, 3);
    heard(&mut rui, last);
    ack(&mut rui, last);
    assert_eq!(list(&mut ana), []);
    let mut again = fixture.unauthenticated();
    assert!(open(&mut again, "rui", "c").flag("cursor_new"));
    rui.ping();
    drop((ana, rui, again));
    fixture.finish();
}

#[test]
fn cursors_of_others_are_for_admins() {
    let fixture = Fixture::with(|config| {
        config.default_role = Role::Escritor;
        Fixture::also(config, "tcp:127.0.0.1:0");
    });
    let mut ana = fixture.tcp_unauthenticated();
    ana.log_in("ana");
    for frame in [ask("cursors", 5), remove(5, "ana", "c")] {
        ana.send(&frame);
        assert_eq!(ana.expect_error("forbidden").num("id"), 5);
    }
    ana.fim();
    fixture.finish();
}

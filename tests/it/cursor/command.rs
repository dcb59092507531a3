//! `arauto cursors` and `arauto leitor --cursor`.

use std::io::{BufRead, BufReader};
use std::process::Child;

use super::{open, publish, stored};
use crate::support::{Served, finish, spawn, wait_until, watchdog};

const JOURNAL: [&str; 2] = ["--journal", "--no-console"];

/// Starts a leitor, and stops it once it has printed this many messages. Returns their texts.
fn read(served: &Served, count: usize, stop: impl FnOnce(&mut Child)) -> Vec<String> {
    let mut child = spawn(&mut served.command(&["leitor", "--json", "--cursor", "c"]));
    let output = child.stdout.take().expect("it is a pipe");
    let mut texts = Vec::new();
    let mut lines = BufReader::new(output).lines();
    while texts.len() < count {
        let line = lines.next().expect("it goes on");
        let line: serde_json::Value =
            serde_json::from_str(&line.expect("it is text")).expect("it is JSON");
        texts.extend(line["message"]["body"].as_str().map(str::to_owned));
    }
    stop(&mut child);
    child.wait().expect("it is a child");
    texts
}

#[test]
fn leitor_with_a_cursor_goes_on_behind_what_it_printed() {
    let _watchdog = watchdog();
    let served = Served::new(&JOURNAL);
    let database = served.folder.path().join("data/arauto.db");
    let mut rui = served.unauthenticated();
    rui.log_in("rui");
    read(&served, 0, |child| {
        // It has no messages to print yet; its cursor is made by the login.
        wait_until("it is logged in", || {
            stored(&database, "ana", "c").is_some()
        });
        child.kill().expect("it runs");
    });
    let mut expected = 0;
    for _ in 0..3 {
        let last = publish(&mut rui, 20);
        expected += 20;
        let texts = read(&served, 20, |child| {
            wait_until("it has acknowledged", || {
                stored(&database, "ana", "c") >= Some(last)
            });
            child.kill().expect("it runs");
        });
        assert_eq!(texts.len(), 20, "of {expected}: none twice, none missing");
    }
    drop(rui);
    served.stop();
}

#[test]
fn second_leitor_with_the_cursor_ends_the_first() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let mut command = served.command(&["leitor", "--cursor", "c"]);
    command.stderr(std::process::Stdio::piped());
    let first = spawn(&mut command);
    wait_until("the first reads with the cursor", || {
        let cursors = finish(&mut served.command(&["cursors", "--json"]), "");
        cursors.expect_success().contains("\"session\":")
    });
    let mut second = served.unauthenticated();
    open(&mut second, "ana", "c");
    let done = first.wait_with_output().expect("it is a child");
    assert_eq!(done.status.code(), Some(77), "{done:?}");
    drop(second);
    served.stop();
}

#[test]
fn cursors_are_printed_and_removed() {
    let _watchdog = watchdog();
    let served = Served::new(&JOURNAL);
    let mut rui = served.unauthenticated();
    let begin = open(&mut rui, "rui", "of rui").num("seq");
    let last = publish(&mut rui, 3);
    let table = finish(&mut served.command(&["cursors"]), "").expect_success();
    assert!(
        table.contains("account") && table.contains("of rui"),
        "{table}"
    );
    let json = finish(&mut served.command(&["cursors", "--json"]), "").expect_success();
    let line: serde_json::Value = serde_json::from_str(&json).expect("one line of JSON");
    assert_eq!(line["account"], "rui");
    assert_eq!(line["name"], "of rui");
    assert_eq!(line["seq"], begin);
    assert!(line["messages"].as_u64() >= Some(last - begin), "{line}");
    assert!(line["bytes"].as_u64() > Some(0), "{line}");
    assert!(line["session"].is_u64(), "{line}");
    let remove = ["cursors", "remove", "rui", "of rui"];
    finish(&mut served.command(&remove), "").expect_success();
    let again = finish(&mut served.command(&remove), "");
    again.expect_failure(65, &["rui has no cursor of rui", "arauto cursors"]);
    let json = finish(&mut served.command(&["cursors", "--json"]), "").expect_success();
    assert_eq!(json, "");
    drop(rui);
    served.stop();
}

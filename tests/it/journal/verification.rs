//! `arauto verify`, backups to a named head, and databases of newer versions.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{Data, publish, register};
use crate::support::{Fixture, Served, arauto, finish, os, spawn, watchdog};

fn verify(path: &Path, arguments: &[&str]) -> Command {
    let mut command = arauto(&["verify"]);
    command.arg(path).args(arguments);
    command
}

/// A command of `arauto` for a data folder.
fn on(data: &Path, command: &str, arguments: &[&str]) -> Command {
    let mut command = arauto(&[command, "--data"]);
    command.arg(data).args(arguments);
    command
}

fn object(printed: &str) -> Value {
    assert_eq!(printed.lines().count(), 1, "{printed}");
    serde_json::from_str(printed).expect("it is json")
}

/// A journal that a server has left, and two accounts.
fn at_rest() -> Data {
    let data = Data::new();
    register(&data.path(), &["ana", "rui"]);
    let fixture = Fixture::with(|config| data.journal(config));
    publish(&mut fixture.client("ana"), 20, "olá");
    fixture.finish();
    data
}

#[test]
fn data_folder_of_a_live_server_is_verified() {
    let _watchdog = watchdog();
    let served = Served::new(&["--journal", "--no-console"]);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let last = publish(&mut ana, 10, "olá");
    let data = served.folder.path().join("data");
    let printed = finish(&mut verify(&data, &[]), "").expect_success();
    for named in [
        "arauto.db: sound: schema 4, 1 accounts",
        &format!("seq 1 to {last}"),
    ] {
        assert!(printed.contains(named), "{printed}");
    }
    let found = object(&finish(&mut verify(&data, &["--json"]), "").expect_success());
    assert_eq!(
        (&found["sound"], &found["to"]),
        (&true.into(), &last.into())
    );
    assert_eq!(found["faults"], Value::Array(Vec::new()));
    publish(&mut ana, 10, "olá");
    ana.fim();
    drop(ana);
    served.stop();
}

#[test]
fn backup_to_a_named_head_has_it() {
    let _watchdog = watchdog();
    let served = Served::new(&["--journal", "--no-console"]);
    let mut ana = served.unauthenticated();
    let login = ana.log_in("ana");
    let last = publish(&mut ana, 10, "olá");
    let data = served.folder.path().join("data");
    let back_up = |name: &str, least: u64, timeout: &str| {
        let file = served.folder.path().join(name).display().to_string();
        let least = least.to_string();
        let arguments = ["--json", "--at-least", &least, "--timeout", timeout, &file];
        on(&data, "backup", &arguments)
    };
    let copied = object(&finish(&mut back_up("a.db", last, "0s"), "").expect_success());
    assert_eq!((&copied["to"], &copied["from"]), (&last.into(), &1.into()));
    assert_eq!(copied["stream"], login.text("stream"));
    let late = finish(&mut back_up("b.db", last + 1, "100ms"), "");
    let (has, lacks) = (format!("seq {last}"), format!("not seq {}", last + 1));
    late.expect_failure(75, &["arauto.db", &has, &lacks]);
    assert!(!served.folder.path().join("b.db").exists());

    let waiting = spawn(&mut back_up("c.db", last + 5, "60s"));
    publish(&mut ana, 5, "late");
    let done = waiting.wait_with_output().expect("it is a child");
    let copied = object(std::str::from_utf8(&done.stdout).expect("it is text"));
    assert_eq!(copied["to"], last + 5);
    let found = finish(
        &mut verify(&served.folder.path().join("c.db"), &["--json"]),
        "",
    );
    assert_eq!(object(&found.expect_success())["to"], last + 5);
    ana.fim();
    drop(ana);
    served.stop();
}

#[test]
fn every_fault_is_printed_on_a_line() {
    let _watchdog = watchdog();
    let data = at_rest();
    let path = data.database();
    let other = rusqlite::Connection::open(&path).expect("a database");
    other
        .execute_batch(
            "UPDATE journal SET crc = crc + 1 WHERE first = (SELECT min(first) FROM journal);
             UPDATE term SET crc = crc + 1;
             UPDATE account SET role = 'king' WHERE name = 'rui';
             INSERT INTO rule VALUES ('ana', 'publish', 'a/#/b', 'deny');",
        )
        .expect("writable");
    drop(other);
    let before = std::fs::read(&path).expect("readable");
    let done = finish(&mut verify(&data.path(), &[]), "");
    assert!(
        done.out.contains("damaged: schema 4, 1 accounts"),
        "{done:?}"
    );
    let faults: Vec<&str> = done.err.lines().collect();
    let named = ["row of seq", "row of term", "\"rui\"", "a/#/b", "4 faults"];
    assert_eq!(faults.len(), named.len(), "{faults:#?}");
    for (fault, name) in faults.iter().zip(named) {
        assert!(
            fault.contains(name) && fault.contains("arauto.db"),
            "{fault}"
        );
    }
    done.expect_failure(65, &[]);
    let done = finish(&mut verify(&path, &["--json"]), "");
    let found = object(&done.out);
    assert_eq!(found["sound"], false);
    assert_eq!(found["faults"].as_array().map(Vec::len), Some(4));
    assert_eq!(std::fs::read(&path).expect("readable"), before);
}

#[test]
fn path_without_a_database_is_not_verified() {
    let _watchdog = watchdog();
    let data = at_rest();
    let sound = std::fs::read(data.database()).expect("readable");
    let file = |name: &str, bytes: &[u8]| {
        let path = data.0.path().join(name);
        std::fs::write(&path, bytes).expect("the folder is ours");
        path
    };
    for (path, code, naming) in [
        (data.0.path().join("none"), 66, "none"),
        (data.0.path().to_owned(), 66, "arauto.db"),
        (file("empty", b""), 65, "is empty"),
        (file("text", b"bom dia"), 65, "not an SQLite database"),
        (
            file("cut", &sound[..9000]),
            65,
            "is cut short: it has 9000 of",
        ),
        (file("arauto.db-unfinished-x1", &sound), 65, "unfinished"),
    ] {
        let done = finish(&mut verify(&path, &[]), "");
        println!("{}", done.err);
        done.expect_failure(code, &[&path.display().to_string(), naming]);
        assert_eq!(done.out, "");
    }
}

#[test]
fn newer_schema_is_refused_by_every_command() {
    let _watchdog = watchdog();
    let data = at_rest();
    let path = data.database();
    let other = rusqlite::Connection::open(&path).expect("a database");
    other
        .pragma_update(None, "user_version", 99)
        .expect("writable");
    drop(other);
    let before = std::fs::read(&path).expect("readable");
    let folder = data.0.path();
    let copy = folder.join("copy.db").display().to_string();
    let file = path.display().to_string();
    let export = folder.join("export.jsonl");
    let lines = r#"{"arauto":"journal","version":1,"stream":"s","from":1,"to":0}
{"arauto":"end","kept":0,"broadcasts":0}
"#;
    std::fs::write(&export, lines).expect("the folder is ours");
    let export = export.display().to_string();
    let listen = os::endpoint(folder, "s").to_string();
    let elsewhere = folder.join("elsewhere");
    for command in [
        on(
            &data.path(),
            "serve",
            &["--no-console", "--listen", &listen],
        ),
        on(
            &data.path(),
            "serve",
            &["--no-console", "--journal", "--listen", &listen],
        ),
        on(&data.path(), "users", &["list"]),
        on(&data.path(), "users", &["add", "zé"]),
        on(&data.path(), "users", &["export"]),
        on(&data.path(), "backup", &[&copy]),
        on(&data.path(), "backup", &["--at-least", "1", &copy]),
        on(&elsewhere, "restore", &[&file]),
        on(&data.path(), "export", &["--jsonl"]),
        on(&data.path(), "import", &[&export]),
        verify(&data.path(), &[]),
        verify(&path, &["--json"]),
    ] {
        let (mut command, shown) = (command, "schema 99 is newer than this arauto");
        let done = finish(&mut command, "");
        println!("{command:?}: {}", done.err);
        done.expect_failure(65, &[&file, shown, "knows up to 4"]);
        assert_eq!(
            std::fs::read(&path).expect("readable"),
            before,
            "{command:?}"
        );
    }
    assert!(!elsewhere.join("arauto.db").exists() && !folder.join("copy.db").exists());
}

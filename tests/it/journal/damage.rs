//! A damaged database: the server says which file, and leaves its bytes alone.

use std::path::Path;

use super::{Data, publish, register};
use crate::support::{Fixture, arauto, finish, os, watchdog};

/// Where these bytes stand in the file.
fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    let mut places = bytes.windows(wanted.len());
    places
        .position(|place| place == wanted)
        .expect("they are there")
}

fn sql(path: &Path, statement: &str) {
    let connection = rusqlite::Connection::open(path).expect("a database");
    connection.execute_batch(statement).expect("it is one");
}

/// A journal of some size, and accounts.
fn sound() -> Data {
    let data = Data::new();
    let users: Vec<String> = (0..100).map(|number| format!("user{number}")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    register(&data.path(), &users);
    let fixture = Fixture::with(|config| data.journal(config));
    let mut ana = fixture.client("ana");
    for number in 0..40 {
        publish(&mut ana, 10, &format!("row {number} {}", "x".repeat(4000)));
    }
    fixture.finish();
    data
}

const PAGE: usize = 4096;

#[test]
fn damaged_journal_is_named_and_its_bytes_kept() {
    let _watchdog = watchdog();
    let data = sound();
    let path = data.database();
    let sound = std::fs::read(&path).expect("it is there");
    let account = find(&sound, b"$argon2id$") / PAGE * PAGE;
    let body = find(&sound, b"row 20 xxx");
    let stream = find(&sound, b"CREATE TABLE stream"); // in the schema's page
    let flip = |from: usize, length: usize| {
        let mut bytes = sound.clone();
        bytes[from..from + length]
            .iter_mut()
            .for_each(|byte| *byte ^= 0xff);
        bytes
    };
    let zeroed = |length: usize| [&vec![0; length][..], &sound[length..]].concat();
    let damaged = [
        ("truncated in the middle", sound[..sound.len() / 2].to_vec()),
        (
            "truncated within a page",
            sound[..sound.len() - 1000].to_vec(),
        ),
        (
            "its last page is missing",
            sound[..sound.len() - PAGE].to_vec(),
        ),
        ("a header of zeros", zeroed(100)),
        ("a first page of zeros", zeroed(PAGE)),
        ("a page of accounts", flip(account, 64)),
        ("a body, one byte", flip(body, 1)),
        ("a body, a page", flip(body / PAGE * PAGE, PAGE)),
        ("the schema", flip(stream, 12)),
        ("the middle", flip(sound.len() / 2, 16)),
        ("no database", b"this is no database".repeat(500)),
    ];
    for (what, bytes) in damaged {
        std::fs::write(&path, &bytes).expect("it is ours");
        refused(&data, what);
    }
}

#[test]
fn rows_that_form_no_stream_are_reported_as_damage() {
    let _watchdog = watchdog();
    let data = sound();
    let path = data.database();
    let sound = std::fs::read(&path).expect("it is there");
    let some = "first = (SELECT first FROM journal ORDER BY first LIMIT 1 OFFSET 9)";
    for statement in [
        format!("DELETE FROM journal WHERE {some}"),
        "DELETE FROM journal WHERE first = (SELECT max(first) FROM journal)".to_owned(),
        "DELETE FROM journal WHERE first = (SELECT min(first) FROM journal)".to_owned(),
        "DELETE FROM stream".to_owned(),
        "UPDATE stream SET head = head + 1".to_owned(),
        "UPDATE stream SET name = 'another'".to_owned(),
        format!("UPDATE journal SET time = time + 1 WHERE {some}"),
        format!("UPDATE journal SET last = last + 1 WHERE {some}"),
        format!("UPDATE journal SET frames = zeroblob(length(frames)) WHERE {some}"),
        format!("UPDATE journal SET frames = x'' WHERE {some}"),
    ] {
        std::fs::write(&path, &sound).expect("it is ours");
        sql(&path, &statement);
        refused(&data, &statement);
    }
}

/// The server refuses to start on it, and touches nothing.
fn refused(data: &Data, what: &str) {
    let path = data.database();
    let before = std::fs::read(&path).expect("it is there");
    let endpoint = os::endpoint(data.0.path(), "s");
    let listen = endpoint.to_string();
    let folder = data.path().display().to_string();
    let serve = [
        "serve",
        "--journal",
        "--no-console",
        "--listen",
        &listen,
        "--data",
        &folder,
    ];
    let done = finish(&mut arauto(&serve), "");
    println!("{what}: {}", done.err);
    let named = path.display().to_string();
    done.expect_failure(65, &[&named, "damaged", "move it away"]);
    assert_eq!(std::fs::read(&path).expect("it is there"), before, "{what}");
    assert!(os::is_gone(&endpoint), "nothing is left behind");
}

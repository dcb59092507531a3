//! Databases as each version of the tables has made them, with rows in every table.
//!
//! The statements and checksums stand here as they were, so that a change of the code's own cannot
//! change the fixtures too.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::wire::{Body, Message, Millis, Seq, ServerFrame, cbor};

/// The newest version that there is a fixture of.
pub(super) const NEWEST: i64 = 4;

/// The number of broadcasts, in two rows.
pub(super) const HEAD: u64 = 15;

const TABLES: [&str; 4] = [
    "PRAGMA journal_mode = WAL;
     CREATE TABLE account (
        name    TEXT PRIMARY KEY,
        phc     TEXT NOT NULL,
        role    TEXT NOT NULL,
        created INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;
     INSERT INTO account VALUES ('ana', '$argon2id$x', 'admin', 7);",
    "CREATE TABLE stream (
        id      INTEGER PRIMARY KEY CHECK (id = 1),
        name    TEXT NOT NULL,
        head    INTEGER NOT NULL,
        trimmed INTEGER NOT NULL,
        crc     INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE journal (
        first   INTEGER PRIMARY KEY,
        last    INTEGER NOT NULL,
        time    INTEGER NOT NULL,
        crc     INTEGER NOT NULL,
        frames  BLOB NOT NULL
     ) STRICT;",
    "CREATE TABLE term (
        number  INTEGER PRIMARY KEY,
        after   INTEGER NOT NULL,
        crc     INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE file (
        id      INTEGER PRIMARY KEY CHECK (id = 1),
        lacks_wal INTEGER NOT NULL
     ) STRICT;
     INSERT INTO file VALUES (1, 0);",
    "CREATE TABLE rule (
        account TEXT NOT NULL,
        kind    TEXT NOT NULL,
        pattern TEXT NOT NULL,
        effect  TEXT NOT NULL,
        PRIMARY KEY (account, kind, pattern, effect)
     ) STRICT, WITHOUT ROWID;
     CREATE TRIGGER rule_of_deleted_account AFTER DELETE ON account BEGIN
        DELETE FROM rule WHERE account = old.name;
     END;
     CREATE TABLE producer (
        account TEXT NOT NULL,
        name    TEXT NOT NULL,
        n       INTEGER NOT NULL,
        seq     INTEGER NOT NULL,
        crc     INTEGER NOT NULL,
        PRIMARY KEY (account, name)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE kept (
        topic   TEXT PRIMARY KEY,
        seq     INTEGER NOT NULL,
        crc     INTEGER NOT NULL,
        frame   BLOB NOT NULL
     ) STRICT;
     CREATE TABLE journal_routes (
        first   INTEGER PRIMARY KEY,
        last    INTEGER NOT NULL,
        crc     INTEGER NOT NULL,
        routes  TEXT NOT NULL
     ) STRICT;
     CREATE TABLE cursor (
        account TEXT NOT NULL,
        name    TEXT NOT NULL,
        stream  TEXT NOT NULL,
        seq     INTEGER NOT NULL,
        term    INTEGER NOT NULL,
        crc     INTEGER NOT NULL,
        PRIMARY KEY (account, name)
     ) STRICT, WITHOUT ROWID;
     INSERT INTO rule VALUES ('ana', 'publish', 'a/#', 'allow');",
];

/// Creates a database of this version, with the account `ana` and, from version 2 on, the stream
/// `old`. From version 4 on its last broadcast is kept by the topic `a`.
pub(super) fn create(path: &Path, version: i64) {
    let old = Connection::open(path).expect("a db");
    let count = usize::try_from(version).expect("it is small");
    for tables in &TABLES[..count] {
        old.execute_batch(tables).expect("writable");
    }
    if version >= 2 {
        add_journal(&old, version >= 4);
    }
    if version >= 3 {
        add_terms(&old);
    }
    if version >= 4 {
        add_other_rows(&old);
    }
    old.pragma_update(None, "user_version", version)
        .expect("writable");
}

/// Returns the frames of these seqs.
pub(super) fn frames(seqs: std::ops::RangeInclusive<u64>, is_last_kept: bool) -> Vec<u8> {
    let mut frames = Vec::new();
    for seq in seqs {
        let body = format!("body of {seq}");
        let mut message = Message::new(Seq(seq), "ana", Millis(seq), Body::text(&body));
        if is_last_kept && seq == HEAD {
            message.topic = Some("a".into());
            message.keep = true;
        }
        cbor::encode(&ServerFrame::Message(message), &mut frames);
    }
    frames
}

/// Computes CRC-32 of the numbers, 8 bytes each, then of the rest.
fn crc(numbers: &[u64], rest: &[u8]) -> u32 {
    let mut bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
    bytes.extend_from_slice(rest);
    crc32fast::hash(&bytes)
}

fn add_journal(old: &Connection, is_last_kept: bool) {
    old.execute(
        "INSERT INTO stream VALUES (1, 'old', ?, 0, ?)",
        params![HEAD, crc(&[HEAD, 0], b"old")],
    )
    .expect("writable");
    for (first, last) in [(1, 10), (11, HEAD)] {
        let frames = frames(first..=last, is_last_kept);
        old.execute(
            "INSERT INTO journal VALUES (?, ?, 7, ?, ?)",
            params![first, last, crc(&[first, last, 7], &frames), frames],
        )
        .expect("writable");
    }
}

fn add_terms(old: &Connection) {
    for (number, after) in [(1, 0), (7_000_000, 10)] {
        old.execute(
            "INSERT INTO term VALUES (?, ?, ?)",
            params![number, after, crc(&[number, after], b"")],
        )
        .expect("writable");
    }
}

fn add_other_rows(old: &Connection) {
    let kept = frames(HEAD..=HEAD, true);
    let named = |numbers: &[u64], texts: &[&str]| {
        let mut rest = Vec::new();
        for text in texts {
            rest.extend_from_slice(&(text.len() as u64).to_le_bytes());
            rest.extend_from_slice(text.as_bytes());
        }
        crc(numbers, &rest)
    };
    old.execute(
        "INSERT INTO producer VALUES ('ana', 'p', 3, 15, ?)",
        params![crc(&[3, HEAD, 3], b"anap")],
    )
    .expect("writable");
    old.execute(
        "INSERT INTO kept VALUES ('a', 15, ?, ?)",
        params![crc(&[HEAD, 1], &[b"a", &kept[..]].concat()), kept],
    )
    .expect("writable");
    old.execute(
        "INSERT INTO journal_routes VALUES (1, 10, ?, ?)",
        params![crc(&[1, 10], b"-\n"), "-\n"],
    )
    .expect("writable");
    old.execute(
        "INSERT INTO cursor VALUES ('ana', 'c', 'old', 12, 7000000, ?)",
        params![named(&[12, 7_000_000], &["ana", "c", "old"])],
    )
    .expect("writable");
}

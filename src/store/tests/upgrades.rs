//! Databases of earlier and later versions of the tables.

use rusqlite::Connection;

use super::*;

fn version(path: &std::path::Path) -> i64 {
    let other = Connection::open(path).expect("a db");
    let version = other.pragma_query_value(None, "user_version", |row| row.get(0));
    version.expect("readable")
}

/// Creates the tables of schema version 1, with one account.
fn version_1(path: &std::path::Path) {
    let old = Connection::open(path).expect("a db");
    old.execute_batch(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE account (
             name    TEXT PRIMARY KEY,
             phc     TEXT NOT NULL,
             role    TEXT NOT NULL,
             created INTEGER NOT NULL
         ) STRICT, WITHOUT ROWID;
         INSERT INTO account VALUES ('ana', '$argon2id$x', 'admin', 7);
         PRAGMA user_version = 1;",
    )
    .expect("writable");
}

#[test]
fn schema_version_1_is_upgraded_and_keeps_accounts() {
    let (_temp, path) = fresh();
    version_1(&path);
    let mut db = Db::open_checked(&path).expect("it becomes today's");
    let accounts = db.run(|connection| {
        let mut query = connection.prepare("SELECT name, role, created FROM account")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect::<rusqlite::Result<Vec<(String, String, i64)>>>()
    });
    let expected = [("ana".to_owned(), "admin".to_owned(), 7)];
    assert_eq!(accounts.expect("readable"), expected);
    assert_eq!(version(&path), schema::SCHEMA);
    drop(db);
    Db::open(&path).expect("and it opens again");
}

#[test]
fn schema_of_a_later_version_is_left_alone() {
    let (_temp, path) = fresh();
    let later = Connection::open(&path).expect("a db");
    later
        .pragma_update(None, "user_version", 99)
        .expect("writable");
    let refused = Db::open(&path).expect_err("it is from the future");
    assert!(matches!(refused, StoreError::Newer { found: 99, .. }));
    assert_eq!(version(&path), 99);
}

/// Creates the tables of schema version 2, with the rows of a stream.
fn version_2(path: &std::path::Path, parts: &[JournalRow]) {
    version_1(path);
    let old = Connection::open(path).expect("a db");
    old.execute_batch(
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
         ) STRICT;
         PRAGMA user_version = 2;",
    )
    .expect("writable");
    let head = parts.last().expect("there are some").last;
    // That version's checksum: CRC-32 of the numbers, 8 bytes each, then of the rest.
    let crc = |numbers: &[u64], rest: &[u8]| {
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        bytes.extend_from_slice(rest);
        crc32fast::hash(&bytes)
    };
    let stream = crc(&[head.0, 0], b"old");
    old.execute(
        "INSERT INTO stream VALUES (1, 'old', ?, 0, ?)",
        rusqlite::params![head.0, stream],
    )
    .expect("writable");
    for part in parts {
        let (first, last, frames) = (part.first.0, part.last.0, &part.frames[..]);
        old.execute(
            "INSERT INTO journal VALUES (?, ?, 7, ?, ?)",
            rusqlite::params![first, last, crc(&[first, last, 7], frames), frames],
        )
        .expect("writable");
    }
}

#[test]
fn schema_version_2_is_upgraded_and_keeps_the_journal() {
    let (_temp, path) = fresh();
    let written = [part(1..=10), part(11..=15)];
    version_2(&path, &written);
    let (mut db, mut journal, parts) = open(&path).expect("sound");
    assert_eq!((journal.stream(), journal.head()), ("old", Seq(15)));
    assert_eq!(parts, written);
    assert_eq!(version(&path), schema::SCHEMA);
    // Two copies of such a folder that start one after the other get different terms.
    let first = journal.terms().current();
    journal
        .write(&mut db, &vec![part(16..=20)].into(), now())
        .expect("writable");
    drop(db);
    let (_db, journal, _) = open(&path).expect("sound");
    assert!(journal.terms().current() > first);
    assert_eq!(
        journal.terms().resume_from(Seq(18), first, Seq(20)),
        Seq(18)
    );
    let before = crate::wire::Term(0);
    assert_eq!(
        journal.terms().resume_from(Seq(18), before, Seq(20)),
        Seq(15)
    );
}

#[test]
fn schema_version_3_is_upgraded_and_gets_the_table_of_rules() {
    let (_temp, path) = fresh();
    drop(Db::open(&path).expect("a db"));
    let old = Connection::open(&path).expect("a db");
    old.execute_batch(
        "DROP TRIGGER rule_of_deleted_account;
         DROP TABLE rule;
         DROP TABLE producer;
         DROP TABLE kept;
         DROP TABLE journal_routes;
         DROP TABLE cursor;
         INSERT INTO account VALUES ('ana', '$argon2id$x', 'admin', 7);
         PRAGMA user_version = 3;",
    )
    .expect("writable");
    let mut db = Db::open_checked(&path).expect("it becomes today's");
    assert_eq!(version(&path), schema::SCHEMA);
    let counts = db.run(|connection| {
        connection.execute_batch(
            "INSERT INTO rule VALUES ('ana', 'publish', '#', 'deny');
             DELETE FROM account;",
        )?;
        connection.query_row("SELECT count(*) FROM rule", [], |row| row.get::<_, i64>(0))
    });
    assert_eq!(counts.expect("writable"), 0, "a rule goes with its account");
}

//! Databases of earlier and later versions of the tables.

use std::path::Path;

use rusqlite::Connection;

use super::older::{self, HEAD, NEWEST};
use super::*;
use crate::store::testing::count;

fn version(path: &Path) -> i64 {
    let other = Connection::open(path).expect("a db");
    let version = other.pragma_query_value(None, "user_version", |row| row.get(0));
    version.expect("readable")
}

/// Returns the tables and triggers of a database, by name, with the statements that made them but
/// without their spaces.
fn tables(path: &Path) -> Vec<(String, String)> {
    let other = Connection::open(path).expect("a db");
    let mut query = other
        .prepare("SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name")
        .expect("readable");
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)));
    let rows = rows.expect("readable").map(|row| row.expect("readable"));
    let without_spaces = |sql: String| sql.split_whitespace().collect();
    rows.map(|(name, sql)| (name, without_spaces(sql)))
        .collect()
}

/// Checks that a database has what its version had: an account, and from version 2 on a journal.
fn check(path: &Path, since: i64) {
    let has = |version: i64, rows: i64| if since >= version { rows } else { 0 };
    for (table, rows) in [
        ("account", 1),
        ("stream", has(2, 1)),
        ("journal", has(2, 2)),
        ("term", has(3, 2)),
        ("rule", has(4, 1)),
        ("producer", has(4, 1)),
        ("kept", has(4, 1)),
        ("journal_routes", has(4, 1)),
        ("cursor", has(4, 1)),
    ] {
        assert_eq!(count(path, table), rows, "{table} of version {since}");
    }
    let verified = verify(path, |_| Ok(CheckedRows::default())).expect("readable");
    assert_eq!(verified.faults, Vec::<String>::new(), "version {since}");
    let stream = verified.stream.map(|stream| (stream.name, stream.head));
    let expected = (since >= 2).then(|| ("old".to_owned(), Seq(HEAD)));
    assert_eq!(stream, expected, "version {since}");
}

#[test]
fn fixtures_cover_every_schema_version() {
    assert_eq!(NEWEST, schema::SCHEMA, "a new version needs a fixture");
    for since in 1..=NEWEST {
        let (_temp, path) = fresh();
        older::create(&path, since);
        for (table, _) in tables(&path)
            .iter()
            .filter(|(_, sql)| sql.contains("TABLE"))
        {
            assert!(count(&path, table) > 0, "{table} of version {since}");
        }
    }
}

#[test]
fn every_schema_version_is_upgraded_with_its_rows() {
    let (_temp, newest) = fresh();
    drop(Db::open(&newest).expect("a db"));
    for since in 1..=NEWEST {
        let (_temp, path) = fresh();
        older::create(&path, since);
        drop(Db::open_checked(&path).expect("it becomes today's"));
        assert_eq!(version(&path), schema::SCHEMA);
        assert_eq!(tables(&path), tables(&newest), "version {since}");
        check(&path, since);
        let (_db, journal, parts) = open(&path).expect("and it opens again");
        let read: Vec<u8> = parts.iter().flat_map(|part| part.frames.to_vec()).collect();
        let written = older::frames(1..=HEAD, since >= 4);
        assert_eq!(read, if since >= 2 { written } else { Vec::new() });
        assert_eq!(journal.stream(), if since >= 2 { "old" } else { "s" });
    }
}

#[test]
fn every_schema_version_is_verified_and_exported_unchanged() {
    for since in 1..=NEWEST {
        let (temp, path) = fresh();
        older::create(&path, since);
        let before = std::fs::read(&path).expect("readable");
        let verified = verify(&path, |_| Ok(CheckedRows::default())).expect("readable");
        assert_eq!((verified.schema, verified.faults.len()), (since, 0));
        match JournalExport::open(&path) {
            Ok(export) => assert_eq!((since >= 2, export.head()), (true, Seq(HEAD))),
            Err(error) => assert!(since < 2, "{error}"),
        }
        assert_eq!(std::fs::read(&path).expect("readable"), before);
        let left = std::fs::read_dir(path.parent().expect("a folder"));
        assert_eq!(left.expect("readable").count(), 1, "the database alone");

        let copy = temp.path().join("copy.db");
        let copied = back_up(&path, &copy).expect("sound");
        assert_eq!(copied.accounts, 1);
        assert_eq!(tables(&copy).len(), 11, "a copy is upgraded");
        check(&copy, since);
    }
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

#[test]
fn schema_version_2_gets_terms_that_tell_copies_apart() {
    let (_temp, path) = fresh();
    older::create(&path, 2);
    let (mut db, mut journal, _) = open(&path).expect("sound");
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
fn schema_version_3_gets_rules_that_go_with_their_account() {
    let (_temp, path) = fresh();
    older::create(&path, 3);
    let mut db = Db::open_checked(&path).expect("it becomes today's");
    let counts = db.run(|connection| {
        connection.execute_batch(
            "INSERT INTO rule VALUES ('ana', 'publish', '#', 'deny');
             DELETE FROM account;",
        )?;
        connection.query_row("SELECT count(*) FROM rule", [], |row| row.get::<_, i64>(0))
    });
    assert_eq!(counts.expect("writable"), 0, "a rule goes with its account");
}

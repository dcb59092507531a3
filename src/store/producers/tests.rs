//! The rows of producers: written with their messages, checked, and removed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::{ProducerChanges, ProducerRow};
use crate::accounts::UserName;
use crate::store::{ClockReading, DataFolder, Db, Journal, JournalBatch, JournalRow, Retention};
use crate::store::{StoreError, back_up, restore};
use crate::topic::Routes;
use crate::wire::{Body, Message, Millis, Seq, ServerFrame, cbor};

fn now() -> ClockReading {
    ClockReading::with_wall(Millis(0))
}

fn fresh() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = DataFolder::open(&temp.path().join("data")).expect("writable");
    let path = folder.database().expect("writable");
    let db = Db::open(&path).expect("a db");
    drop(db);
    let db = rusqlite::Connection::open(&path).expect("a db");
    for name in ["ana", "rui"] {
        let sql = "INSERT INTO account VALUES (?, '$argon2id$x', 'escritor', 7)";
        db.execute(sql, [name]).expect("writable");
    }
    (temp, path)
}

fn open(path: &Path) -> Result<(Db, Journal), StoreError> {
    let mut db = Db::open_checked(path)?;
    let (journal, _) = Journal::open(&mut db, Retention::default(), 0, now(), "s")?;
    Ok((db, journal))
}

fn row(account: &str, name: &str, n: u64, seq: u64) -> ProducerRow {
    ProducerRow {
        account: Arc::from(account),
        name: Arc::from(name),
        n,
        seq: Seq(seq),
    }
}

/// One message, with these changes to the producers.
fn batch(seq: u64, published: Vec<ProducerRow>, removed: &[(&str, &str)]) -> JournalBatch {
    let mut frames = Vec::new();
    let message = Message::new(Seq(seq), "ana", Millis(seq), Body::text("a"));
    cbor::encode(&ServerFrame::Message(message), &mut frames);
    let part = JournalRow {
        first: Seq(seq),
        last: Seq(seq),
        frames: Bytes::from(frames),
        routes: Routes::default(),
    };
    let removed = removed
        .iter()
        .map(|(account, name)| (Arc::from(*account), Arc::from(*name)));
    JournalBatch {
        parts: vec![part],
        producers: ProducerChanges {
            published,
            removed: removed.collect(),
        },
        ..JournalBatch::default()
    }
}

fn written() -> (tempfile::TempDir, PathBuf) {
    let (temp, path) = fresh();
    let (mut db, mut journal) = open(&path).expect("a new one");
    assert_eq!(journal.take_producers(), []);
    let rows = vec![row("ana", "p", 7, 1), row("rui", "p", u64::MAX, 1)];
    journal
        .write(&mut db, &batch(1, rows, &[]), now())
        .expect("writable");
    let rows = vec![row("ana", "p", 8, 2), row("ana", "q", 1, 2)];
    journal
        .write(&mut db, &batch(2, rows, &[]), now())
        .expect("writable");
    (temp, path)
}

#[test]
fn producers_read_back_by_the_seq_of_their_last_message() {
    let (_temp, path) = written();
    let (mut db, mut journal) = open(&path).expect("sound");
    let known = journal.take_producers();
    assert_eq!(known[0], row("rui", "p", u64::MAX, 1));
    let ana = [row("ana", "p", 8, 2), row("ana", "q", 1, 2)];
    assert_eq!(known[1..], ana);
    let removal = batch(3, Vec::new(), &[("ana", "p"), ("rui", "none")]);
    journal.write(&mut db, &removal, now()).expect("writable");
    drop(db);
    let (_db, mut journal) = open(&path).expect("sound");
    let names: Vec<String> = journal
        .take_producers()
        .iter()
        .map(|row| row.name.to_string())
        .collect();
    assert_eq!(names, ["p", "q"]);
}

#[test]
fn batch_that_is_not_written_leaves_the_producers_unchanged() {
    let (_temp, path) = written();
    let (mut db, mut journal) = open(&path).expect("sound");
    // A row of the journal with this seq exists: the transaction fails.
    let again = batch(2, vec![row("ana", "p", 9, 2)], &[("rui", "p")]);
    journal
        .write(&mut db, &again, now())
        .expect_err("the seq is taken");
    drop((db, journal));
    let (_db, mut journal) = open(&path).expect("sound");
    let known = journal.take_producers();
    assert_eq!(known.len(), 3);
    assert!(known.contains(&row("ana", "p", 8, 2)));
}

#[test]
fn producers_of_a_removed_account_go_and_do_not_come_back() {
    let (_temp, path) = written();
    let (mut db, mut journal) = open(&path).expect("sound");
    let ana = UserName::parse("ana").expect("it is a name");
    assert!(db.remove(&ana).expect("writable"), "there is one");
    let late = batch(3, vec![row("ana", "p", 9, 3), row("rui", "q", 1, 3)], &[]);
    journal.write(&mut db, &late, now()).expect("writable");
    drop((db, journal));
    let (_db, mut journal) = open(&path).expect("sound");
    let known = journal.take_producers();
    let of: Vec<&str> = known.iter().map(|row| &*row.account).collect();
    assert_eq!(of, ["rui", "rui"]);
}

#[test]
fn damaged_row_of_a_producer_is_refused_by_its_name() {
    for change in [
        "UPDATE producer SET n = 9 WHERE name = 'q'",
        "UPDATE producer SET seq = 1 WHERE name = 'q'",
        "UPDATE producer SET seq = 3 WHERE name = 'q'",
        "UPDATE producer SET crc = 1 WHERE name = 'q'",
        "UPDATE producer SET account = 'rui' WHERE name = 'q'",
    ] {
        let (_temp, path) = written();
        let other = rusqlite::Connection::open(&path).expect("a db");
        assert_eq!(other.execute(change, []).expect("writable"), 1);
        drop(other);
        let error = open(&path).map(drop).expect_err(change).to_string();
        assert!(error.contains("producer \"q\""), "{error}");
        let copy = path.with_file_name("copy.db");
        assert!(back_up(&path, &copy).is_err(), "a backup checks it too");
        assert!(!copy.exists());
    }
}

#[test]
fn backup_keeps_producers_and_restore_knows_none() {
    let (temp, path) = written();
    let copy = temp.path().join("copy.db");
    back_up(&path, &copy).expect("sound");
    let count = |path: &Path| {
        let db = rusqlite::Connection::open(path).expect("a db");
        let count = db.query_row("SELECT count(*) FROM producer", [], |row| {
            row.get::<_, i64>(0)
        });
        count.expect("readable")
    };
    assert_eq!(count(&copy), 3);
    let folder = DataFolder::open(&temp.path().join("other")).expect("writable");
    restore(&copy, &folder, false).expect("sound");
    assert_eq!(count(&folder.database_path()), 0);
}

#[test]
fn new_stream_knows_no_producers() {
    let (_temp, path) = written();
    let other = rusqlite::Connection::open(&path).expect("a db");
    let sql = "DELETE FROM journal; DELETE FROM stream; DELETE FROM term";
    other.execute_batch(sql).expect("writable");
    drop(other);
    let (_db, mut journal) = open(&path).expect("a new one");
    assert_eq!(journal.take_producers(), []);
    let other = rusqlite::Connection::open(&path).expect("a db");
    let left = other.query_row("SELECT count(*) FROM producer", [], |row| {
        row.get::<_, i64>(0)
    });
    assert_eq!(left.expect("readable"), 0);
}

//! Databases for the tests of the store.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::TempDir;

use super::{
    ClockReading, DataFolder, Db, Journal, JournalRow, Retention, StoreError, back_up, restore,
};
use crate::topic::Routes;
use crate::wire::{Body, Message, Millis, Seq, ServerFrame, cbor};

pub(super) fn now() -> ClockReading {
    ClockReading::with_wall(Millis(0))
}

/// Creates a data folder. The folder is removed when the guard is dropped.
pub(super) fn fresh() -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = DataFolder::open(&temp.path().join("data")).expect("writable");
    let path = folder.database().expect("writable");
    (temp, path)
}

/// As [`fresh`], with the accounts `ana` and `rui`.
pub(super) fn with_accounts() -> (TempDir, PathBuf) {
    let (temp, path) = fresh();
    drop(Db::open(&path).expect("a db"));
    let db = rusqlite::Connection::open(&path).expect("a db");
    for name in ["ana", "rui"] {
        let sql = "INSERT INTO account VALUES (?, '$argon2id$x', 'escritor', 7)";
        db.execute(sql, [name]).expect("writable");
    }
    (temp, path)
}

/// Opens the journal of the stream `s`.
pub(super) fn open_with(path: &Path, retention: Retention) -> Result<(Db, Journal), StoreError> {
    let mut db = Db::open_checked(path)?;
    let (journal, _) = Journal::open(&mut db, retention, 0, now(), "s")?;
    Ok((db, journal))
}

pub(super) fn open(path: &Path) -> Result<(Db, Journal), StoreError> {
    open_with(path, Retention::default())
}

/// Returns a row of the journal with one message.
pub(super) fn message(seq: u64) -> JournalRow {
    let mut frames = Vec::new();
    let message = Message::new(Seq(seq), "ana", Millis(seq), Body::text("a"));
    cbor::encode(&ServerFrame::Message(message), &mut frames);
    JournalRow {
        first: Seq(seq),
        last: Seq(seq),
        frames: Bytes::from(frames),
        routes: Routes::default(),
    }
}

/// Checks that a database is refused, and not backed up, once any of these statements has changed
/// one row of it. The error contains `name`.
pub(super) fn assert_changes_refused(
    written: fn() -> (TempDir, PathBuf),
    changes: &[&str],
    name: &str,
) {
    for change in changes {
        let (_temp, path) = written();
        let other = rusqlite::Connection::open(&path).expect("a db");
        assert_eq!(other.execute(change, []).expect("writable"), 1);
        drop(other);
        let error = open(&path).map(drop).expect_err(change).to_string();
        assert!(error.contains(name), "{error}");
        let copy = path.with_file_name("copy.db");
        assert!(back_up(&path, &copy).is_err(), "a backup checks it too");
        assert!(!copy.exists());
    }
}

/// Backs a database up beside it and restores the copy. Returns the copy and the restored database.
pub(super) fn back_up_and_restore(temp: &TempDir, path: &Path) -> (PathBuf, PathBuf) {
    let copy = temp.path().join("copy.db");
    back_up(path, &copy).expect("sound");
    let folder = DataFolder::open(&temp.path().join("other")).expect("writable");
    restore(&copy, &folder, false).expect("sound");
    (copy, folder.database_path())
}

/// Removes the stream, so that the next start begins a new one.
pub(super) fn remove_stream(path: &Path) {
    let other = rusqlite::Connection::open(path).expect("a db");
    let sql = "DELETE FROM journal; DELETE FROM stream; DELETE FROM term";
    other.execute_batch(sql).expect("writable");
}

/// Returns the number of rows of a table.
pub(super) fn count(path: &Path, table: &str) -> i64 {
    let db = rusqlite::Connection::open(path).expect("a db");
    let sql = format!("SELECT count(*) FROM {table}");
    db.query_row(&sql, [], |row| row.get(0)).expect("readable")
}

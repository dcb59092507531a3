//! The rows of cursors: written with a batch or alone, checked, and removed; and the rows of the
//! journal that wait for them.

use std::path::PathBuf;
use std::sync::Arc;

use super::{CursorChanges, CursorRow};
use crate::accounts::UserName;
use crate::store::testing::{
    assert_changes_refused, back_up_and_restore, message, now, open, open_with, with_accounts,
};
use crate::store::{JournalBatch, Retention};
use crate::wire::{Seq, Term};

fn row(account: &str, name: &str, seq: u64) -> CursorRow {
    CursorRow {
        account: Arc::from(account),
        name: Arc::from(name),
        stream: Arc::from("s"),
        seq: Seq(seq),
        term: Term(1),
    }
}

fn stored(rows: Vec<CursorRow>) -> JournalBatch {
    JournalBatch {
        cursors: CursorChanges {
            stored: rows,
            ..CursorChanges::default()
        },
        ..JournalBatch::default()
    }
}

/// One message, and the lowest seq of a cursor.
fn with_lowest(seq: u64, lowest: Option<u64>) -> JournalBatch {
    JournalBatch {
        parts: vec![message(seq)],
        cursors: CursorChanges {
            lowest: lowest.map(Seq),
            ..CursorChanges::default()
        },
        ..JournalBatch::default()
    }
}

fn written() -> (tempfile::TempDir, PathBuf) {
    let (temp, path) = with_accounts();
    let (mut db, mut journal) = open(&path).expect("a new one");
    assert_eq!(journal.take_cursors(), []);
    let rows = vec![row("ana", "c", 1), row("rui", "c", 0)];
    journal
        .write(&mut db, &stored(rows), now())
        .expect("writable");
    let rows = vec![row("ana", "c", 7), row("ana", "d", 2)];
    journal
        .write(&mut db, &stored(rows), now())
        .expect("writable");
    (temp, path)
}

#[test]
fn cursors_read_back_by_account_and_name() {
    let (_temp, path) = written();
    let (mut db, mut journal) = open(&path).expect("sound");
    let all = [row("ana", "c", 7), row("ana", "d", 2), row("rui", "c", 0)];
    assert_eq!(journal.take_cursors(), all);
    let mut changes = stored(vec![row("ana", "d", 3)]).cursors;
    changes.removed = [("ana", "d"), ("rui", "c")]
        .map(|(account, name)| (Arc::from(account), Arc::from(name)))
        .to_vec();
    db.write_cursors(&changes).expect("writable");
    drop((db, journal));
    let (_db, mut journal) = open(&path).expect("sound");
    assert_eq!(
        journal.take_cursors(),
        [row("ana", "c", 7), row("ana", "d", 3)]
    );
}

#[test]
fn cursors_of_a_removed_account_go_and_do_not_come_back() {
    let (_temp, path) = written();
    let (mut db, mut journal) = open(&path).expect("sound");
    let ana: UserName = "ana".parse().expect("it is a name");
    assert!(db.remove(&ana).expect("writable"), "there is one");
    let late = stored(vec![row("ana", "c", 9), row("rui", "c", 9)]);
    journal.write(&mut db, &late, now()).expect("writable");
    drop((db, journal));
    let (_db, mut journal) = open(&path).expect("sound");
    assert_eq!(journal.take_cursors(), [row("rui", "c", 9)]);
}

#[test]
fn damaged_row_of_a_cursor_is_refused_by_its_name() {
    let changes = [
        "UPDATE cursor SET seq = 1 WHERE name = 'd'",
        "UPDATE cursor SET term = 2 WHERE name = 'd'",
        "UPDATE cursor SET stream = 't' WHERE name = 'd'",
        "UPDATE cursor SET crc = 1 WHERE name = 'd'",
        "UPDATE cursor SET account = 'rui' WHERE name = 'd'",
    ];
    assert_changes_refused(written, &changes, "cursor \"d\"");
}

#[test]
fn backup_and_restore_keep_cursors_with_the_name_of_their_stream() {
    let (temp, path) = written();
    let (_, restored) = back_up_and_restore(&temp, &path);
    let (_db, mut journal) = open(&restored).expect("sound");
    assert_ne!(journal.stream(), "s");
    let cursors = journal.take_cursors();
    assert_eq!(cursors.len(), 3);
    assert!(cursors.iter().all(|cursor| &*cursor.stream == "s"));
}

/// Writes 40 messages of which retention keeps a few, and returns the oldest that is left.
fn oldest_left(hold: u64, lowest: Option<u64>) -> u64 {
    let (_temp, path) = with_accounts();
    let retention = Retention {
        bytes: 1000,
        cursor_hold: hold,
        ..Retention::default()
    };
    let (mut db, mut journal) = open_with(&path, retention).expect("a new one");
    for seq in 1..=40 {
        let batch = with_lowest(seq, lowest);
        journal.write(&mut db, &batch, now()).expect("writable");
    }
    let oldest = db.run(|db| db.query_row("SELECT min(first) FROM journal", [], |row| row.get(0)));
    oldest.expect("readable")
}

#[test]
fn retention_waits_for_a_cursor_within_its_bound() {
    let usual = oldest_left(0, None);
    assert!(usual > 20, "{usual}");
    assert_eq!(oldest_left(1 << 20, None), usual, "no cursor needs them");
    assert_eq!(oldest_left(0, Some(10)), usual, "it does not wait");
    assert_eq!(oldest_left(1 << 20, Some(10)), 11);
    assert_eq!(oldest_left(1 << 20, Some(39)), usual, "it is not behind");
    let bounded = oldest_left(1000, Some(10));
    assert!((12..usual).contains(&bounded), "{bounded}");
}

#[test]
fn rows_that_wait_for_a_cursor_are_not_removable() {
    let (_temp, path) = with_accounts();
    let retention = Retention {
        bytes: 200,
        cursor_hold: 1 << 20,
        ..Retention::default()
    };
    let (mut db, mut journal) = open_with(&path, retention).expect("a new one");
    for seq in 1..=40 {
        let batch = with_lowest(seq, Some(10));
        journal.write(&mut db, &batch, now()).expect("writable");
    }
    assert!(!journal.has_removable_rows(now(), Some(Seq(10))));
    assert!(journal.has_removable_rows(now(), Some(Seq(11))));
    assert!(journal.has_removable_rows(now(), None));
}

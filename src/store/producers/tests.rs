//! The rows of producers: written with their messages, checked, and removed.

use std::path::PathBuf;
use std::sync::Arc;

use super::{ProducerChanges, ProducerRow};
use crate::accounts::UserName;
use crate::store::JournalBatch;
use crate::store::testing::{
    assert_changes_refused, back_up_and_restore, count, message, now, open, remove_stream,
    with_accounts,
};
use crate::wire::Seq;

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
    let removed = removed
        .iter()
        .map(|(account, name)| (Arc::from(*account), Arc::from(*name)));
    JournalBatch {
        parts: vec![message(seq)],
        producers: ProducerChanges {
            published,
            removed: removed.collect(),
        },
        ..JournalBatch::default()
    }
}

fn written() -> (tempfile::TempDir, PathBuf) {
    let (temp, path) = with_accounts();
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
    let changes = [
        "UPDATE producer SET n = 9 WHERE name = 'q'",
        "UPDATE producer SET seq = 1 WHERE name = 'q'",
        "UPDATE producer SET seq = 3 WHERE name = 'q'",
        "UPDATE producer SET crc = 1 WHERE name = 'q'",
        "UPDATE producer SET account = 'rui' WHERE name = 'q'",
    ];
    assert_changes_refused(written, &changes, "producer \"q\"");
}

#[test]
fn backup_keeps_producers_and_restore_knows_none() {
    let (temp, path) = written();
    let (copy, restored) = back_up_and_restore(&temp, &path);
    assert_eq!(count(&copy, "producer"), 3);
    assert_eq!(count(&restored, "producer"), 0);
}

#[test]
fn new_stream_knows_no_producers() {
    let (_temp, path) = written();
    remove_stream(&path);
    let (_db, mut journal) = open(&path).expect("a new one");
    assert_eq!(journal.take_producers(), []);
    assert_eq!(count(&path, "producer"), 0);
}

//! The rows of kept values: written with their messages, checked, retained, and removed.

use std::borrow::Cow;
use std::path::PathBuf;

use bytes::Bytes;

use crate::store::row_routes::routes_of;
use crate::store::testing::{
    assert_changes_refused, back_up_and_restore, count, fresh, now, open, open_with, remove_stream,
};
use crate::store::{Db, Journal, JournalBatch, JournalRow, Retention};
use crate::wire::cbor::{MessageFrames, encode_content, message_keys};
use crate::wire::{Body, Millis, Publish, PublishOptions, Seq};

fn keeping(bytes: u64) -> Retention {
    Retention {
        bytes,
        ..Retention::default()
    }
}

/// A row of messages with `keep` behind `after`, with these topics and bodies.
fn row(after: u64, messages: &[(&str, &str)]) -> JournalRow {
    let (mut frames, mut seq) = (Vec::new(), Seq(after));
    for (topic, body) in messages {
        seq = seq.next();
        let mut publish = Publish::new(1, Body::text(body));
        publish.topic = Some(Cow::Borrowed(topic));
        publish.options = Some(Box::new(PublishOptions {
            keep: Some(true),
            ..PublishOptions::default()
        }));
        let mut content = Vec::new();
        let keys = encode_content(&publish, &mut content).count;
        MessageFrames::new("ana", Millis(seq.0)).encode_with_keys(seq, &content, keys, &mut frames);
    }
    JournalRow {
        first: Seq(after + 1),
        last: seq,
        routes: routes_of(&frames),
        frames: Bytes::from(frames),
    }
}

fn write(db: &mut Db, journal: &mut Journal, rows: Vec<JournalRow>) {
    journal.write(db, &rows.into(), now()).expect("writable");
}

/// Returns the topic and seq of each kept value.
fn kept(journal: &mut Journal) -> Vec<(String, u64)> {
    let frames = journal.take_kept();
    let mut kept: Vec<(String, u64)> = frames
        .iter()
        .map(|frame| {
            let keys = message_keys(frame).expect("a message");
            (keys.topic.expect("it has one").to_owned(), keys.seq.0)
        })
        .collect();
    kept.sort();
    kept
}

fn named(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    let expected = expected.iter();
    expected
        .map(|(topic, seq)| ((*topic).to_owned(), *seq))
        .collect()
}

/// Kept values of the seqs 2 (`b`), 4 (`c`) and 6 (`a`).
fn written() -> (tempfile::TempDir, PathBuf) {
    let (temp, path) = fresh();
    let (mut db, mut journal) = open(&path).expect("a new one");
    assert!(journal.take_kept().is_empty());
    let first = row(0, &[("a", "1"), ("b", "2"), ("d", "3")]);
    let second = row(3, &[("c", "4"), ("d", "")]);
    write(&mut db, &mut journal, vec![first, second]);
    write(&mut db, &mut journal, vec![row(5, &[("a", "6")])]);
    (temp, path)
}

#[test]
fn newest_value_of_each_topic_reads_back() {
    let (_temp, path) = written();
    let (_db, mut journal) = open(&path).expect("sound");
    assert_eq!(kept(&mut journal), named(&[("a", 6), ("b", 2), ("c", 4)]));
}

#[test]
fn retention_spares_kept_values() {
    let (_temp, path) = written();
    let (mut db, mut journal) = open_with(&path, keeping(0)).expect("sound");
    journal
        .write(&mut db, &JournalBatch::default(), now())
        .expect("writable");
    assert_eq!(journal.state.trimmed, Seq(6));
    drop((db, journal));
    let (mut db, mut journal) = open_with(&path, keeping(0)).expect("sound");
    assert_eq!(kept(&mut journal), named(&[("a", 6), ("b", 2), ("c", 4)]));
    write(&mut db, &mut journal, vec![row(6, &[("b", "")])]);
    drop((db, journal));
    let (_db, mut journal) = open_with(&path, keeping(0)).expect("sound");
    assert_eq!(kept(&mut journal), named(&[("a", 6), ("c", 4)]));
}

#[test]
fn batch_that_is_not_written_leaves_the_kept_values_unchanged() {
    let (_temp, path) = written();
    let (mut db, mut journal) = open(&path).expect("sound");
    // A row of the journal with this seq exists: the transaction fails.
    let again = vec![row(5, &[("b", "")])];
    journal
        .write(&mut db, &again.into(), now())
        .expect_err("the seq is taken");
    drop((db, journal));
    let (_db, mut journal) = open(&path).expect("sound");
    assert_eq!(kept(&mut journal), named(&[("a", 6), ("b", 2), ("c", 4)]));
}

#[test]
fn kept_value_that_is_damaged_or_differs_from_the_journal_is_refused() {
    let changes = [
        "UPDATE kept SET crc = 1 WHERE topic = 'b'",
        "UPDATE kept SET seq = 3 WHERE topic = 'b'",
        "UPDATE kept SET topic = 'e' WHERE topic = 'b'",
        "UPDATE kept SET frame = x'00' WHERE topic = 'b'",
    ];
    assert_changes_refused(written, &changes, "kept value");
    // Its own checksum is right, but it is not the message of its seq.
    let (_temp, path) = written();
    let other = rusqlite::Connection::open(&path).expect("a db");
    let frame = row(1, &[("b", "other")]).frames;
    let crc = super::crc("b", Seq(2), &frame);
    let sql = "UPDATE kept SET frame = ?, crc = ? WHERE topic = 'b'";
    let changed = other.execute(sql, rusqlite::params![&frame[..], crc]);
    assert_eq!(changed.expect("writable"), 1);
    drop(other);
    let error = open(&path).map(drop).expect_err("it differs");
    assert!(error.to_string().contains("topic \"b\""), "{error}");
}

#[test]
fn backup_and_restore_keep_the_values() {
    let (temp, path) = written();
    let (_, restored) = back_up_and_restore(&temp, &path);
    let (mut db, mut journal) = open(&restored).expect("sound");
    assert_ne!(journal.stream(), "s");
    assert_eq!(kept(&mut journal), named(&[("a", 6), ("b", 2), ("c", 4)]));
    // The restored stream goes on with the copy's seqs: no message gets the seq of a value again.
    assert_eq!(journal.head(), Seq(6));
    write(&mut db, &mut journal, vec![row(6, &[("b", "7")])]);
}

#[test]
fn new_stream_has_no_kept_values_and_no_summaries() {
    let (_temp, path) = written();
    remove_stream(&path);
    let (mut db, mut journal) = open(&path).expect("a new one");
    assert!(journal.take_kept().is_empty());
    assert_eq!(
        (count(&path, "kept"), count(&path, "journal_routes")),
        (0, 0)
    );
    write(&mut db, &mut journal, vec![row(0, &[("a", "1")])]);
}

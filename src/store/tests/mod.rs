//! The tests of the connection, its thread and the journal.

mod older;
mod transfer;
mod upgrades;
mod verification;

use rusqlite::Connection;

use std::path::PathBuf;

use super::testing::{fresh, now};
use super::*;
use crate::topic::Routes;
use crate::wire::{Millis, Seq, ServerFrame, cbor};

#[test]
fn closed_thread_finishes_its_queued_work_first() {
    let (_temp, path) = fresh();
    let started = Store::start(Db::open(&path).expect("a db"));
    let (store, thread) = started.expect("a thread");
    let mut answer = store.ask(|db| db.data_version().is_ok());
    thread.close().expect("tidy");
    assert_eq!(answer.try_recv(), Ok(true));
    assert_eq!(store.wait(|_| ()), None, "nobody is there any more");
}

#[test]
fn panicked_thread_is_reported_at_its_close() {
    let (_temp, path) = fresh();
    let started = Store::start(Db::open(&path).expect("a db"));
    let (store, mut thread) = started.expect("a thread");
    let mut panicked = thread.panicked().expect("nobody has taken it");
    assert!(thread.panicked().is_none(), "there is one");
    assert_eq!(store.wait(|_| panic!("on purpose")), None::<()>);
    let error = thread.close().expect_err("it has panicked");
    assert!(matches!(error, StoreError::Panicked { .. }), "{error}");
    assert_eq!(panicked.try_recv(), Ok(()));
}

#[test]
fn closed_thread_has_not_panicked() {
    let (_temp, path) = fresh();
    let started = Store::start(Db::open(&path).expect("a db"));
    let (_store, mut thread) = started.expect("a thread");
    let mut panicked = thread.panicked().expect("nobody has taken it");
    thread.close().expect("tidy");
    assert!(panicked.try_recv().is_err());
}

#[test]
fn abandoned_connection_interrupts_its_query() {
    let (_temp, path) = fresh();
    let limit = WaitLimit::default();
    let mut db = Db::open_checked_within(&path, &limit).expect("a db");
    let _abandoned = limit.abandon();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                   SELECT count(*) FROM n";
    let counted = db.run(|connection| connection.query_row(endless, [], |_| Ok(())));
    let error = counted.expect_err("it never ends by itself");
    assert!(error.to_string().contains("interrupt"), "{error}");
}

/// Returns whole frames of messages with these seqs.
fn frames(seqs: std::ops::RangeInclusive<u64>) -> bytes::Bytes {
    let mut frames = Vec::new();
    for seq in seqs {
        let body = format!("body of {seq} {}", "x".repeat(500));
        let message =
            crate::wire::Message::new(Seq(seq), "ana", Millis(seq), crate::wire::Body::text(&body));
        cbor::encode(&ServerFrame::Message(message), &mut frames);
    }
    frames.into()
}

fn part(seqs: std::ops::RangeInclusive<u64>) -> JournalRow {
    JournalRow {
        first: Seq(*seqs.start()),
        last: Seq(*seqs.end()),
        frames: frames(seqs),
        routes: Routes::default(),
    }
}

fn open(path: &std::path::Path) -> Result<(Db, Journal, Vec<JournalRow>), StoreError> {
    let mut db = Db::open_checked(path)?;
    let retention = Retention::default();
    let (journal, parts) = Journal::open(&mut db, retention, usize::MAX, now(), "s")?;
    Ok((db, journal, parts))
}

/// Writes a journal of the seqs 1 to 400, ten in each row, and makes a checkpoint.
fn written_journal() -> (tempfile::TempDir, PathBuf, Vec<JournalRow>) {
    let (temp, path) = fresh();
    let (mut db, mut journal, _) = open(&path).expect("a new one");
    let parts: Vec<JournalRow> = (0..40)
        .map(|row| part(row * 10 + 1..=row * 10 + 10))
        .collect();
    for parts in parts.chunks(7) {
        let batch = parts.to_vec().into();
        journal.write(&mut db, &batch, now()).expect("writable");
    }
    db.checkpoint().expect("writable");
    (temp, path, parts)
}

#[test]
fn journal_reads_back_what_was_written() {
    let (_temp, path, written) = written_journal();
    let (_db, journal, parts) = open(&path).expect("sound");
    assert_eq!((journal.stream(), journal.head()), ("s", Seq(400)));
    assert_eq!(parts, written);
}

#[test]
fn damaged_byte_is_detected_or_changes_nothing() {
    let (_temp, path, written) = written_journal();
    let sound = std::fs::read(&path).expect("readable");
    let mut found = 0;
    for place in (0..sound.len()).step_by(sound.len() / 400) {
        let mut bytes = sound.clone();
        bytes[place] ^= 0x55;
        std::fs::write(&path, &bytes).expect("writable");
        match open(&path) {
            Err(error) => {
                assert!(error.to_string().contains(&path.display().to_string()));
                found += 1;
            }
            // An unused byte, in a page's free space or in the header.
            Ok((_, journal, parts)) => {
                assert_eq!((journal.head(), &parts), (Seq(400), &written), "{place}");
            }
        }
        assert_eq!(std::fs::read(&path).expect("readable"), bytes, "{place}");
        for other in ["arauto.db-wal", "arauto.db-shm"] {
            let _ = std::fs::remove_file(path.with_file_name(other)); // of the last round
        }
    }
    assert!(found > 300, "most bytes are in use: {found}");
}

#[tokio::test]
async fn journal_reader_finds_every_seq_or_names_the_gap() {
    let (_temp, path, _) = written_journal();
    let (mut db, mut journal, _) = open(&path).expect("sound");
    journal.set_retention(Retention {
        bytes: 60_000,
        age: Some(std::time::Duration::ZERO), // it does not change
        ..Retention::default()
    });
    assert_eq!(journal.retention.age, None);
    assert!(journal.has_removable_rows(now(), None));
    journal
        .write(&mut db, &JournalBatch::default(), now())
        .expect("writable");
    let trimmed = journal.state.trimmed;
    assert!(journal.state.held <= 60_000 && trimmed > Seq(200));
    let readers = JournalReaders::new(&db);
    let mut after = Seq::ZERO;
    let first = readers.clone().read(after, 1).await.expect("readable");
    assert_eq!(first.expect("some are kept").first, trimmed.next());
    after = trimmed;
    while let Some(chunk) = readers.clone().read(after, 1).await.expect("readable") {
        let span = check::span(&chunk.frames).expect("whole frames");
        assert_eq!((span.first, span.last), (after.next(), chunk.last));
        after = Seq(after.0 + 3).min(chunk.last); // within rows as well
    }
    assert_eq!(after, Seq(400));
}

#[test]
fn write_after_a_full_disk_continues_the_stream() {
    let (_temp, path) = fresh();
    let (mut db, mut journal, _) = open(&path).expect("a new one");
    journal
        .write(&mut db, &vec![part(1..=10)].into(), now())
        .expect("writable");
    let pages = |db: &mut Db, most: i64| {
        let limited =
            db.run(|c| c.query_row(&format!("PRAGMA max_page_count = {most}"), [], |_| Ok(())));
        limited.expect("it can be set");
    };
    pages(&mut db, 1); // no page more than there are
    let refused = journal.write(&mut db, &vec![part(11..=200)].into(), now());
    assert!(
        matches!(refused, Err(JournalWriteError::RolledBack(_))),
        "{refused:?}"
    );
    assert_eq!(journal.head(), Seq(10));
    pages(&mut db, 1 << 30);
    journal
        .write(&mut db, &vec![part(11..=20)].into(), now())
        .expect("there is space again");
    drop(db);
    let (_db, journal, parts) = open(&path).expect("sound");
    assert_eq!((journal.head(), parts.len()), (Seq(20), 2));
}

/// Returns the numbers in the table of terms, as another process reads them.
fn stored_terms(path: &std::path::Path) -> Vec<i64> {
    let other = Connection::open(path).expect("a db");
    let mut query = other.prepare("SELECT number FROM term").expect("readable");
    let rows = query.query_map([], |row| row.get(0)).expect("readable");
    rows.map(|row| row.expect("readable")).collect()
}

#[test]
fn term_is_stored_with_its_first_broadcast() {
    let (_temp, path) = fresh();
    let (mut db, mut journal, _) = open(&path).expect("a new one");
    assert_eq!(stored_terms(&path), [1], "with the stream");
    journal
        .write(&mut db, &vec![part(1..=3)].into(), now())
        .expect("writable");
    drop(db);

    let (db, journal, _) = open(&path).expect("sound");
    let idle = journal.terms().current();
    assert!(idle > crate::wire::Term(1));
    assert_eq!(stored_terms(&path), [1], "nobody has seen anything of it");
    drop(db);

    let (mut db, mut journal, _) = open(&path).expect("sound");
    journal
        .write(&mut db, &vec![part(4..=6)].into(), now())
        .expect("writable");
    let term = i64::try_from(journal.terms().current().0).expect("it is small");
    assert_eq!(stored_terms(&path), [1, term]);
}

#[test]
fn created_journal_has_its_stream_and_first_term() {
    let (_temp, path) = fresh();
    let limit = WaitLimit::default();
    let mut db = Journal::open_database(&path, "first", &limit).expect("a new one");
    let opened = Journal::open(&mut db, Retention::default(), 0, now(), "other");
    let (journal, _) = opened.expect("a new one");
    assert_eq!(journal.stream(), "first");
    assert_eq!(journal.terms(), &Terms::single());
    drop(db);
    // The next start continues the stream in a new term.
    let mut db = Journal::open_database(&path, "second", &limit).expect("sound");
    let opened = Journal::open(&mut db, Retention::default(), 0, now(), "other");
    let (journal, _) = opened.expect("sound");
    assert_eq!(journal.stream(), "first");
    assert_ne!(journal.terms(), &Terms::single());
}

#[test]
fn file_without_its_log_is_refused_from_the_first_commit_on() {
    let (temp, path) = fresh();
    let copied = |name: &str| {
        let copy = temp.path().join(name);
        std::fs::copy(&path, &copy).expect("it is there");
        Db::open_checked(&copy).map(drop)
    };
    let (mut db, mut journal, _) = open(&path).expect("a new one");
    copied("before").expect("it lacks nothing");
    journal
        .write(&mut db, &vec![part(1..=3)].into(), now())
        .expect("writable");
    let refused = copied("after").expect_err("the commit is in the log");
    assert!(matches!(refused, StoreError::LacksWal(_)), "{refused}");
    db.checkpoint().expect("writable");
    copied("checkpointed").expect("it lacks nothing");
}

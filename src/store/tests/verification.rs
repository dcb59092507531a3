//! Checks of databases, which change nothing.

use std::path::Path;

use rusqlite::Connection;

use super::*;
use crate::store::snapshot::{LostLog, Snapshot};

fn checked(path: &Path) -> Result<Verified, StoreError> {
    verify(path, |_| Ok(CheckedRows::default()))
}

/// Writes a journal as [`written_journal`] does. The last process that has used it left no log.
fn at_rest() -> (tempfile::TempDir, PathBuf) {
    let (temp, path, _) = written_journal();
    drop(Db::open(&path).expect("sound"));
    assert_eq!(names(&path), ["arauto.db"]);
    (temp, path)
}

fn names(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path.parent().expect("a folder")).expect("readable");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("readable").file_name())
        .map(|name| name.into_string().expect("it is text"))
        .collect();
    names.sort();
    names
}

#[test]
fn database_in_use_is_verified_with_its_log() {
    let (_temp, path, _) = written_journal();
    let (mut db, mut journal, _) = open(&path).expect("sound");
    journal
        .write(&mut db, &vec![part(401..=405)].into(), now())
        .expect("writable");
    // A transaction of the server is under way.
    db.run(|connection| connection.execute_batch("BEGIN IMMEDIATE; DELETE FROM term"))
        .expect("writable");
    let verified = checked(&path).expect("readable");
    assert_eq!(verified.faults, Vec::<String>::new());
    let stream = verified.stream.expect("there is one");
    assert_eq!((stream.first, stream.head), (Seq(1), Seq(405)));
    db.run(|connection| connection.execute_batch("ROLLBACK"))
        .expect("it is open");
    journal
        .write(&mut db, &vec![part(406..=407)].into(), now())
        .expect("the check holds no lock");
}

#[test]
fn database_at_rest_is_verified_without_a_new_file() {
    let (_temp, path) = at_rest();
    let before = (names(&path), std::fs::read(&path).expect("readable"));
    let verified = checked(&path).expect("readable");
    assert_eq!(verified.faults, Vec::<String>::new());
    assert_eq!(verified.bytes, before.1.len() as u64);
    assert_eq!(head(&path).expect("readable"), Some(Seq(400)));
    let copy = path.with_file_name("copy.db");
    back_up(&path, &copy).expect("sound");
    std::fs::remove_file(copy).expect("it is there");
    assert_eq!(
        (names(&path), std::fs::read(&path).expect("readable")),
        before
    );
}

#[test]
fn server_that_starts_during_a_read_is_noticed() {
    let (_temp, path) = at_rest();
    let snapshot = Snapshot::open(&path, LostLog::Refused).expect("sound");
    snapshot.check_unchanged().expect("nobody came");
    let (mut db, mut journal, _) = open(&path).expect("sound");
    let changed = snapshot.check_unchanged();
    assert!(matches!(changed, Err(StoreError::Changed(_))), "it runs");
    journal
        .write(&mut db, &vec![part(401..=405)].into(), now())
        .expect("writable");
    db.trust().expect("writable");
    drop(db);
    assert_eq!(names(&path), ["arauto.db"]);
    let changed = snapshot.check_unchanged();
    assert!(
        matches!(changed, Err(StoreError::Changed(_))),
        "it has been here"
    );
}

#[test]
fn read_that_a_server_has_disturbed_is_repeated() {
    let (_temp, path) = at_rest();
    let mut server = None;
    let mut reads = 0;
    let read = Snapshot::read::<_, StoreError>(&path, LostLog::Refused, |snapshot| {
        reads += 1;
        if server.is_none() {
            let (mut db, mut journal, _) = open(&path).expect("sound");
            journal
                .write(&mut db, &vec![part(401..=405)].into(), now())
                .expect("writable");
            server = Some(db);
        }
        let sql = "SELECT head FROM stream";
        let db = snapshot.db();
        db.run(|connection| connection.query_row(sql, [], |row| row.get::<_, u64>(0)))
    });
    assert_eq!((read.expect("readable"), reads), (405, 2));
}

#[test]
fn every_fault_of_a_journal_is_named() {
    let (_temp, path, _) = written_journal();
    let other = Connection::open(&path).expect("a db");
    other
        .execute_batch(
            "UPDATE journal SET time = time + 1 WHERE first IN (11, 41);
             DELETE FROM journal WHERE first = 101;
             UPDATE term SET crc = crc + 1;
             INSERT INTO producer VALUES ('ana', 'p', 1, 1, 0);
             INSERT INTO kept VALUES ('a', 1, 0, x'');
             INSERT INTO cursor VALUES ('ana', 'c', 's', 1, 1, 0);
             DELETE FROM journal_routes;
             INSERT INTO journal_routes VALUES (1, 10, 0, '-');",
        )
        .expect("writable");
    drop(other);
    let verified = checked(&path).expect("readable");
    let named = [
        "kept value of topic \"a\"",
        "row of seq 11",
        "row of seq 41",
        "seq 111 follows 100",
        "row of term 1",
        "producer \"p\"",
        "summary of the journal's row of seq 1",
        "cursor \"c\"",
    ];
    assert_eq!(verified.faults.len(), named.len(), "{:#?}", verified.faults);
    for (fault, name) in verified.faults.iter().zip(named) {
        assert!(fault.contains(name), "{name:?} is not in {fault:?}");
    }
    assert_eq!(verified.stream.expect("it is read").head, Seq(400));
    assert!(!verified.is_cut);
}

#[test]
fn faults_above_the_limit_are_not_listed() {
    let (_temp, path) = fresh();
    let (mut db, mut journal, _) = open(&path).expect("a new one");
    let rows: Vec<JournalRow> = (1..=150).map(|seq| part(seq..=seq)).collect();
    let written = journal.write(&mut db, &rows.into(), now());
    written.expect("writable");
    drop(db);
    let other = Connection::open(&path).expect("a db");
    other
        .execute("UPDATE journal SET crc = crc + 1", [])
        .expect("writable");
    drop(other);
    let verified = checked(&path).expect("readable");
    assert_eq!(
        (verified.faults.len(), verified.is_cut),
        (MOST_FAULTS, true)
    );
}

#[test]
fn damaged_page_is_a_fault_of_the_verified_database() {
    let (_temp, path) = at_rest();
    let sound = std::fs::read(&path).expect("readable");
    let mut found = 0;
    for place in (4096 + 8..sound.len()).step_by(4096) {
        let mut bytes = sound.clone();
        bytes[place..place + 64]
            .iter_mut()
            .for_each(|byte| *byte ^= 0x55);
        std::fs::write(&path, &bytes).expect("writable");
        match checked(&path) {
            Ok(verified) => found += usize::from(!verified.faults.is_empty()),
            // Without the list of tables nothing can be read.
            Err(error) => assert!(matches!(error, StoreError::Damaged { .. }), "{error}"),
        }
        assert_eq!(std::fs::read(&path).expect("readable"), bytes);
        assert_eq!(names(&path), ["arauto.db"]);
    }
    assert!(found > 30, "pages are in use: {found}");
}

#[test]
fn file_without_a_database_is_refused_by_its_problem() {
    let (_temp, path) = at_rest();
    let sound = std::fs::read(&path).expect("readable");
    let empty_tables = path.with_file_name("other.db");
    let other = Connection::open(&empty_tables).expect("a db");
    other.execute_batch("CREATE TABLE a (b)").expect("writable");
    drop(other);
    let foreign = std::fs::read(&empty_tables).expect("readable");
    for (name, bytes, problem) in [
        ("empty.db", &b""[..], "is empty"),
        ("text.db", b"no database", "is not an SQLite database"),
        (
            "cut.db",
            &sound[..sound.len() - 4096],
            "is cut short: it has",
        ),
        ("foreign.db", &foreign, "does not have arauto's tables"),
        ("arauto.db-unfinished-a1b2c3", &sound, "is unfinished"),
    ] {
        let file = path.with_file_name(name);
        std::fs::write(&file, bytes).expect("writable");
        let error = checked(&file).expect_err(name);
        assert!(matches!(error, StoreError::NoDatabase { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(name) && text.contains(problem), "{text}");
    }
}

#[test]
fn copy_without_its_log_is_neither_verified_nor_backed_up() {
    let (temp, path) = fresh();
    let (mut db, mut journal, _) = open(&path).expect("a new one");
    journal
        .write(&mut db, &vec![part(1..=3)].into(), now())
        .expect("writable");
    let folder = temp.path().join("copied");
    std::fs::create_dir(&folder).expect("the folder is ours");
    let copy = folder.join("arauto.db");
    std::fs::copy(&path, &copy).expect("it is there");
    let refused = [
        checked(&copy).map(drop),
        head(&copy).map(drop),
        JournalExport::open(&copy).map(drop),
    ];
    for refused in refused {
        assert!(
            matches!(refused, Err(StoreError::LacksWal(_))),
            "{refused:?}"
        );
    }
    let refused = back_up(&copy, &temp.path().join("backup.db"));
    assert!(matches!(
        refused,
        Err(CopyError::Store(StoreError::LacksWal(_)))
    ));
    // An empty log beside it would hide the loss from the next server.
    assert_eq!(names(&copy), ["arauto.db"]);

    let other = DataFolder::open(&temp.path().join("other")).expect("writable");
    restore(&copy, &other, false).expect("without its newest commits");
    assert_eq!(names(&copy), ["arauto.db"]);
}

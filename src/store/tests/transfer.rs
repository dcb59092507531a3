//! Exports and imports of journals.

use std::path::Path;

use super::*;
use crate::store::testing::{count, open_with, with_accounts};
use crate::topic::Route;
use crate::wire::{Body, Decoded, Message, Presence};

/// Returns a row with one message to the topic `topic`, which keeps it.
fn kept(seq: u64, topic: &str, body: &str) -> JournalRow {
    let mut message = Message::new(Seq(seq), "ana", Millis(seq), Body::text(body));
    message.topic = Some(topic.into());
    message.keep = true;
    row(&ServerFrame::Message(message), seq, |routes| {
        routes.push(0, 0, Route::Topic(topic), true);
    })
}

fn joined(seq: u64) -> JournalRow {
    let presence = Presence {
        seq: Seq(seq),
        user: "rui".into(),
        at: Millis(seq),
    };
    row(&ServerFrame::Joined(presence), seq, |routes| {
        routes.push(0, 0, Route::Presence, false);
    })
}

fn row(frame: &ServerFrame<'_>, seq: u64, route: impl FnOnce(&mut Routes)) -> JournalRow {
    let mut frames = Vec::new();
    cbor::encode_server(frame, &mut frames);
    let mut routes = Routes::default();
    route(&mut routes);
    JournalRow {
        first: Seq(seq),
        last: Seq(seq),
        frames: frames.into(),
        routes,
    }
}

/// Writes a journal of some rows, the oldest of which retention has removed.
fn exported() -> (tempfile::TempDir, PathBuf) {
    let (temp, path) = fresh();
    let retention = Retention {
        bytes: 400_000,
        ..Retention::default()
    };
    let (mut db, mut journal) = open_with(&path, retention).expect("a new one");
    let mut write = |rows: Vec<JournalRow>| {
        let written = journal.write(&mut db, &rows.into(), now());
        written.expect("writable");
    };
    write(vec![kept(1, "old", "1"), kept(2, "both", "2"), joined(3)]);
    for row in 0..100 {
        let first = row * 10 + 4;
        write(vec![part(first..=first + 9)]);
    }
    write(vec![
        kept(1004, "both", "3"),
        kept(1005, "gone", "4"),
        joined(1006),
    ]);
    write(vec![kept(1007, "gone", "")]);
    (temp, path)
}

/// The frames of kept values and of broadcasts.
type Exported = (Vec<Vec<u8>>, Vec<Vec<u8>>);

fn export(path: &Path) -> (JournalExport, Exported) {
    let mut export = JournalExport::open(path).expect("sound");
    let (mut kept, mut broadcasts) = (Vec::new(), Vec::new());
    let bytes = |frame: &ServerFrame<'_>| {
        let mut bytes = Vec::new();
        cbor::encode_server(frame, &mut bytes);
        bytes
    };
    let (first, head) = (export.first(), export.head());
    let visited = export.kept_below::<StoreError>(first, |frame| {
        kept.push(bytes(frame));
        Ok(())
    });
    visited.expect("sound");
    let visited = export.broadcasts::<StoreError>(first, head, |frame| {
        broadcasts.push(bytes(frame));
        Ok(())
    });
    visited.expect("sound");
    (export, (kept, broadcasts))
}

fn decoded(bytes: &[u8]) -> ServerFrame<'_> {
    match cbor::decode_server(bytes, usize::MAX) {
        Ok(Decoded::Frame(frame, _)) => frame,
        other => panic!("{other:?}"),
    }
}

/// Begins an import of what was exported, and passes all of it.
fn passed(folder: &DataFolder, from: &JournalExport, exported: &Exported) -> JournalImport {
    let begun = JournalImport::begin(folder, from.first(), from.head());
    let mut import = begun.expect("the folder has no journal");
    for frame in &exported.0 {
        import.keep(&decoded(frame)).expect("a kept value");
    }
    for frame in &exported.1 {
        import.append(&decoded(frame)).expect("the next one");
    }
    import
}

fn faults(path: &Path) -> Vec<String> {
    let verified = verify(path, |_| Ok(CheckedRows::default()));
    verified.expect("readable").faults
}

#[test]
fn imported_journal_is_the_exported_one_as_a_new_stream() {
    let (_from, path) = exported();
    let (before, frames) = export(&path);
    assert!(before.first() > Seq(3), "retention has removed some");
    assert_eq!(frames.0.len(), 1, "{:?}", frames.0);
    let (temp, _) = fresh();
    let folder = DataFolder::open(&temp.path().join("other")).expect("writable");
    let stream = passed(&folder, &before, &frames).finish().expect("sound");
    let imported = folder.database_path();
    assert_eq!(faults(&imported), Vec::<String>::new());
    let (after, again) = export(&imported);
    assert_eq!(again, frames);
    assert_eq!(
        (after.first(), after.head()),
        (before.first(), before.head())
    );
    assert_eq!(after.stream(), stream.name);
    assert_ne!(after.stream(), before.stream());
    drop((before, after));

    let (_db, mut journal) = open_with(&imported, Retention::default()).expect("sound");
    let (_old, mut old) = open_with(&path, Retention::default()).expect("sound");
    assert_eq!(journal.take_kept(), old.take_kept());
    assert_eq!(
        count(&imported, "journal_routes"),
        count(&imported, "journal")
    );
    assert!(count(&imported, "journal") > 1, "rows are bounded");
}

#[test]
fn import_keeps_the_accounts_of_its_folder() {
    let (_from, path) = exported();
    let (before, frames) = export(&path);
    let (temp, database) = with_accounts();
    // A server was started with a journal, and nobody came.
    drop(open_with(&database, Retention::default()).expect("sound"));
    let folder = DataFolder::open(&temp.path().join("data")).expect("writable");
    passed(&folder, &before, &frames).finish().expect("sound");
    assert_eq!(count(&database, "account"), 2);
    assert_eq!(export(&database).1, frames);
    assert_eq!(faults(&database), Vec::<String>::new());
    let left = std::fs::read_dir(database.parent().expect("a folder")).expect("readable");
    assert_eq!(left.count(), 2, "the database and the lock");
}

#[test]
fn import_into_a_journal_with_broadcasts_is_refused() {
    let (temp, database) = fresh();
    let (mut db, mut journal) = open_with(&database, Retention::default()).expect("a new one");
    let folder = DataFolder::open(&temp.path().join("data")).expect("writable");
    let begin = || JournalImport::begin(&folder, Seq(1), Seq(2));
    let import = begin().expect("it has none");
    assert!(matches!(
        begin(),
        Err(CopyError::Folder(FolderError::InUse(_)))
    ));
    drop(import);
    let written = journal.write(&mut db, &vec![part(1..=3)].into(), now());
    written.expect("writable");
    assert!(matches!(begin(), Err(CopyError::HasJournal(_))));
}

#[test]
fn journal_that_got_broadcasts_meanwhile_is_not_replaced() {
    let (temp, database) = fresh();
    drop(Db::open(&database).expect("a db"));
    let folder = DataFolder::open(&temp.path().join("data")).expect("writable");
    let mut import = JournalImport::begin(&folder, Seq(1), Seq(1)).expect("it has none");
    let message = Message::new(Seq(1), "ana", Millis(1), Body::text("a"));
    import
        .append(&ServerFrame::Message(message))
        .expect("the next one");
    // By another program: a server is kept away by the lock.
    let (mut db, mut journal) = open_with(&database, Retention::default()).expect("sound");
    let written = journal.write(&mut db, &vec![part(1..=3)].into(), now());
    written.expect("writable");
    drop(db);
    assert!(matches!(import.finish(), Err(CopyError::HasJournal(_))));
    assert_eq!(export(&database).1.1.len(), 3);
}

#[test]
fn dropped_import_leaves_the_folder_as_it_was() {
    let (temp, database) = with_accounts();
    let folder = DataFolder::open(&temp.path().join("data")).expect("writable");
    let empty = DataFolder::open(&temp.path().join("empty")).expect("writable");
    let before = std::fs::read(&database).expect("readable");
    let (_from, path) = exported();
    let (exported, frames) = export(&path);
    for folder in [&folder, &empty] {
        drop(passed(folder, &exported, &frames));
    }
    assert_eq!(std::fs::read(&database).expect("readable"), before);
    for (name, files) in [("data", 2), ("empty", 1)] {
        let left = std::fs::read_dir(temp.path().join(name)).expect("readable");
        assert_eq!(left.count(), files, "{name}");
    }
}

#[test]
fn import_out_of_order_or_without_its_end_is_refused() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = DataFolder::open(&temp.path().join("data")).expect("writable");
    let message = |seq: u64| Message::new(Seq(seq), "ana", Millis(1), Body::text("a"));
    let value = |seq: u64| {
        let (topic, keep) = (Some("a".into()), true);
        let message = message(seq);
        ServerFrame::Message(Message {
            topic,
            keep,
            ..message
        })
    };
    let append =
        |import: &mut JournalImport, seq| import.append(&ServerFrame::Message(message(seq)));
    let begin = || JournalImport::begin(&folder, Seq(5), Seq(7)).expect("it has none");

    for (first, last) in [(0, 0), (5, 3), (1, u64::MAX), (1, 1 << 63)] {
        let begun = JournalImport::begin(&folder, Seq(first), Seq(last));
        assert!(
            matches!(begun, Err(CopyError::BadImport(_))),
            "{first} {last}"
        );
    }
    let mut import = begin();
    assert!(append(&mut import, 6).is_err(), "5 is next");
    append(&mut import, 5).expect("it is next");
    assert!(append(&mut import, 5).is_err(), "again");
    assert!(import.keep(&value(3)).is_err(), "too late");
    append(&mut import, 6).expect("it is next");
    assert!(
        matches!(import.finish(), Err(CopyError::BadImport(_))),
        "7 is missing"
    );

    let mut import = begin();
    import.keep(&value(3)).expect("it is below 5");
    for refused in [value(3), value(5), ServerFrame::Message(message(4))] {
        assert!(import.keep(&refused).is_err(), "{refused:?}");
    }
    for seq in 5..=7 {
        append(&mut import, seq).expect("it is next");
    }
    assert!(append(&mut import, 8).is_err(), "above the last");
    assert!(!folder.database_path().exists());
    import.finish().expect("it is whole");
    assert!(folder.database_path().exists());
}

#[test]
fn import_without_broadcasts_begins_at_its_seq() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = DataFolder::open(&temp.path().join("data")).expect("writable");
    let import = JournalImport::begin(&folder, Seq(8), Seq(7)).expect("it has none");
    let stream = import.finish().expect("it is whole");
    assert_eq!((stream.first, stream.head), (Seq(8), Seq(7)));
    let (_db, journal) = open_with(&folder.database_path(), Retention::default()).expect("sound");
    assert_eq!((journal.stream(), journal.head()), (&*stream.name, Seq(7)));
}

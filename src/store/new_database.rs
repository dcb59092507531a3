//! Creates a database that is complete as soon as its name exists.
//!
//! The problem: SQLite creates a database in several steps (WAL mode, tables, first rows), and
//! syncs each of them to disk. So the content is built in memory instead, and written at once to
//! an unfinished file, which is then renamed. That needs two syncs.
//!
//! Invariants:
//! - the content is on disk before the file gets the database's name, and that name is on disk
//!   before anything is committed. So a crash leaves no database or a complete one;
//! - an existing file is never replaced. If two processes create the database at the same time,
//!   both open the file that was renamed first;
//! - a crash leaves at most an unfinished file, whose name ends with [`UNFINISHED`] and random
//!   letters. `DataFolder::lock` removes it.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;

use rusqlite::{Connection, MAIN_DB};
use tempfile::TempPath;

use super::StoreError;
use super::database_files::{beside, folder_of, sync_folder};
use super::folder::UNFINISHED;
use super::schema;

/// The place of the two format versions in the file's header, and their value in WAL mode
/// (<https://sqlite.org/fileformat2.html>). A database in memory cannot be in WAL mode.
const FORMAT_VERSIONS: Range<usize> = 18..20;
const WAL: u8 = 2;

/// How often a rename that finds the unfinished file in use is repeated, with another file.
const MOST_REFUSALS: u32 = 20;

/// Creates the database at `path` with all tables and the rows that `fill` writes, unless the
/// file exists. Returns whether the database now has these rows. If an earlier database left a
/// journal or a write-ahead log there, the new file is empty.
///
/// # Errors
/// The file cannot be created or synced.
pub(super) fn create(
    path: &Path,
    fill: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<bool, StoreError> {
    if path.exists() {
        return Ok(false);
    }
    // SQLite would apply such a file to a database with content. It deletes the file if the
    // database is empty.
    let has_remains = ["-journal", "-wal"]
        .iter()
        .any(|suffix| beside(path, suffix).exists());
    let content = match has_remains {
        true => Vec::new(),
        false => content(fill).map_err(|error| StoreError::sqlite(path, error))?,
    };
    let created = create_file(path, &content).map_err(|source| StoreError::NotCreated {
        path: path.to_owned(),
        source,
    })?;
    Ok(created && !has_remains)
}

/// Returns the content of the file of a new database.
fn content(fill: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> rusqlite::Result<Vec<u8>> {
    let mut memory = Connection::open_in_memory()?;
    let transaction = memory.transaction()?;
    schema::prepare(&transaction)?;
    fill(&transaction)?;
    transaction.commit()?;
    let mut content = memory.serialize(MAIN_DB)?.to_vec();
    content[FORMAT_VERSIONS].fill(WAL);
    Ok(content)
}

/// Creates the file with this content. Returns `false` if another process was faster.
fn create_file(path: &Path, content: &[u8]) -> io::Result<bool> {
    let mut refusals = 0;
    loop {
        let unfinished = unfinished(path, content)?;
        let renamed = unfinished.persist_noclobber(path);
        let is_ours = match renamed.map_err(|error| error.error) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            // A server that starts has removed the unfinished file. If the folder is gone too,
            // the next attempt to create a file fails.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) if is_in_use(&error) && refusals < MOST_REFUSALS => {
                refusals += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        sync_folder(path)?;
        return Ok(is_ours);
    }
}

/// Whether Windows says that another process has the file open, or is about to remove it. The
/// latter looks like a missing permission: the file's removal is pending (`ERROR_ACCESS_DENIED`
/// for `STATUS_DELETE_PENDING`).
fn is_in_use(error: &io::Error) -> bool {
    const ERROR_ACCESS_DENIED: i32 = 5;
    const ERROR_SHARING_VIOLATION: i32 = 32;
    cfg!(windows)
        && matches!(
            error.raw_os_error(),
            Some(ERROR_ACCESS_DENIED | ERROR_SHARING_VIOLATION)
        )
}

/// Writes an unfinished file and syncs it. Only the owner can read it, whatever the umask is.
fn unfinished(path: &Path, content: &[u8]) -> io::Result<TempPath> {
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(UNFINISHED);
    let unfinished = tempfile::Builder::new()
        .prefix(&prefix)
        .tempfile_in(folder_of(path))?;
    // The file is closed before it is renamed: closing a file releases all locks that the process
    // has on it, and SQLite takes such locks (fcntl(2)).
    let (mut file, name) = unfinished.into_parts();
    make_private(&file)?;
    file.write_all(content)?;
    file.sync_all()?;
    Ok(name)
}

#[cfg(unix)]
fn make_private(file: &File) -> io::Result<()> {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    file.set_permissions(Permissions::from_mode(0o600))
}

/// Does nothing: the file has the permissions of its folder.
#[cfg(not(unix))]
fn make_private(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::store::{DataFolder, Db};

    fn add_account(db: &mut Db, name: &str) {
        let sql = "INSERT INTO account VALUES (?, '', 'leitor', 0)";
        db.commit(|connection| connection.execute(sql, [name]))
            .expect("writable");
    }

    fn accounts(db: &mut Db) -> i64 {
        let counted = db.run(|connection| {
            connection.query_row("SELECT count(*) FROM account", [], |row| row.get(0))
        });
        counted.expect("readable")
    }

    /// Returns the statements that made the tables.
    fn tables(connection: &Connection) -> Vec<String> {
        let mut query = connection
            .prepare("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name")
            .expect("readable");
        let rows = query.query_map([], |row| row.get(0)).expect("readable");
        rows.map(|row| row.expect("readable")).collect()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .expect("readable")
            .map(|entry| entry.expect("readable").file_name())
            .map(|name| name.into_string().expect("it is text"))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn created_database_is_what_sqlite_creates() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let path = temp.path().join("x.db");
        let fill =
            |connection: &Connection| connection.execute_batch("INSERT INTO file VALUES (1, 0)");
        assert!(create(&path, fill).expect("the folder is ours"));
        assert_eq!(names(temp.path()), ["x.db"], "no unfinished file is left");
        let created = Connection::open(&path).expect("a database");
        let text = |pragma: &str| -> String {
            let sql = format!("PRAGMA {pragma}");
            let row = created.query_row(&sql, [], |row| row.get::<_, rusqlite::types::Value>(0));
            match row.expect("readable") {
                rusqlite::types::Value::Text(text) => text,
                rusqlite::types::Value::Integer(number) => number.to_string(),
                other => panic!("{pragma}: {other:?}"),
            }
        };
        assert_eq!(text("journal_mode"), "wal");
        assert_eq!(text("integrity_check"), "ok");
        assert_eq!(text("user_version"), schema::SCHEMA.to_string());
        let rows = created.query_row("SELECT count(*) FROM file", [], |row| row.get::<_, i64>(0));
        assert_eq!(rows, Ok(1));

        let empty = temp.path().join("y.db");
        std::fs::write(&empty, "").expect("the folder is ours");
        let mut db = Db::open(&empty).expect("SQLite creates the tables");
        let expected = db
            .run(|connection| Ok(tables(connection)))
            .expect("readable");
        assert_eq!(tables(&created), expected);
    }

    #[test]
    fn existing_file_is_not_replaced() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let path = temp.path().join("x.db");
        std::fs::write(&path, "another program's").expect("the folder is ours");
        assert!(!create(&path, |_| Ok(())).expect("nothing to do"));
        assert!(!create_file(&path, b"mine").expect("it looks as if it came later"));
        let content = std::fs::read_to_string(&path).expect("it is there");
        assert_eq!(content, "another program's");
        assert_eq!(names(temp.path()), ["x.db"]);
    }

    #[test]
    fn log_of_an_earlier_database_is_not_applied() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let path = temp.path().join("x.db");
        let mut earlier = Db::open(&path).expect("a new one");
        add_account(&mut earlier, "ana");
        let log = std::fs::read(beside(&path, "-wal")).expect("it has the commit");
        assert!(!log.is_empty());
        drop(earlier);
        std::fs::remove_file(&path).expect("the folder is ours");
        std::fs::write(beside(&path, "-wal"), log).expect("the folder is ours");

        let mut db = Db::open_checked(&path).expect("a new one");
        assert_eq!(accounts(&mut db), 0);
        add_account(&mut db, "rui");
        drop(db);
        let mut db = Db::open_checked(&path).expect("it is sound");
        assert_eq!(accounts(&mut db), 1);
    }

    #[test]
    fn creators_at_the_same_time_share_one_database() {
        for _ in 0..10 {
            let temp = tempfile::tempdir().expect("a temporary folder");
            let path = temp.path().join("x.db");
            let barrier = Barrier::new(4);
            std::thread::scope(|scope| {
                for name in ["ana", "bia", "caio", "davi"] {
                    let (path, barrier) = (&path, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        add_account(&mut Db::open(path).expect("a database"), name);
                    });
                }
            });
            let mut db = Db::open_checked(&path).expect("it is sound");
            assert_eq!(accounts(&mut db), 4);
        }
    }

    #[test]
    fn unfinished_file_removed_by_a_server_is_written_again() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let folder = DataFolder::open(&temp.path().join("data")).expect("writable");
        let path = folder.database().expect("there is none yet");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Not for ever: on a slow file system no file would live long enough.
                for _ in 0..200 {
                    drop(folder.lock().expect("no other server is there"));
                }
            });
            for _ in 0..20 {
                let created = create(&path, |_| Ok(()));
                assert!(matches!(created, Ok(true)), "{created:?}");
                std::fs::remove_file(&path).expect("it is there");
            }
        });
    }

    /// A program that reads new files, as a virus scanner does, keeps them from being renamed.
    #[cfg(windows)]
    #[test]
    fn unfinished_file_that_is_in_use_is_written_again() {
        use std::collections::BTreeMap;
        use std::fs::OpenOptions;
        use std::os::windows::fs::OpenOptionsExt;
        use std::sync::atomic::{AtomicBool, Ordering};

        const FILE_SHARE_READ_AND_WRITE: u32 = 1 | 2;
        let temp = tempfile::tempdir().expect("a temporary folder");
        let path = temp.path().join("x.db");
        let is_over = AtomicBool::new(false);
        let scan = || {
            // Fewer than the attempts that one database takes at most.
            let mut held = BTreeMap::new();
            while held.len() < 10 && !is_over.load(Ordering::Acquire) {
                for name in names(temp.path()) {
                    if !name.contains(UNFINISHED) || held.contains_key(&name) {
                        continue;
                    }
                    let mut options = OpenOptions::new();
                    options.read(true).share_mode(FILE_SHARE_READ_AND_WRITE);
                    if let Ok(file) = options.open(temp.path().join(&name)) {
                        held.insert(name, file);
                    }
                }
            }
            held.len()
        };
        let (outcomes, held) = std::thread::scope(|scope| {
            let scanner = scope.spawn(scan);
            let create_once = || (create(&path, |_| Ok(())), std::fs::remove_file(&path));
            let outcomes: Vec<_> = (0..50).map(|_| create_once()).collect();
            is_over.store(true, Ordering::Release);
            (outcomes, scanner.join().expect("it does not panic"))
        });
        for (created, removed) in outcomes {
            assert!(matches!(created, Ok(true)), "{created:?}");
            removed.expect("it is there");
        }
        assert!(held > 0, "no file was in use");
    }

    #[test]
    fn database_that_cannot_be_created_is_named() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let path = temp.path().join("missing").join("x.db");
        let error = Db::open(&path).expect_err("there is no folder");
        assert!(matches!(error, StoreError::NotCreated { .. }), "{error:?}");
        assert!(error.to_string().contains("x.db"), "{error}");
    }
}

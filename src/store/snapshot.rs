//! Reads a database, of a running server too, and changes nothing in its folder.
//!
//! The problem: SQLite reads a database in WAL mode through its write-ahead log and the log's
//! index, and creates both where they are missing. An empty log that is left behind would hide that
//! a copy has lost its log (`wal_mark`), and a folder that cannot be written could not be read at
//! all. So a database without a log is read as a file that nobody changes (`immutable=1`,
//! <https://sqlite.org/uri.html>). A server that starts meanwhile makes a log or changes the file,
//! which the reader notices at its end.
//!
//! Invariants:
//! - no file is created or changed, except that a server's log may have to be recovered;
//! - no lock is taken that a server waits for. A long read only delays the checkpoint;
//! - tables that an older version lacks are there, and empty.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use rusqlite::{Connection, OpenFlags};

use super::database_files::beside;
use super::folder::is_unfinished;
use super::schema::{self, SCHEMA};
use super::{Db, StoreError, WaitLimit, wal_mark};

/// The start of every SQLite database (<https://sqlite.org/fileformat2.html>).
const MAGIC: &[u8] = b"SQLite format 3\0";

/// The length of the file's header.
const HEADER: usize = 100;

/// Whether a file that has lost its write-ahead log may be read, without its newest commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LostLog {
    Refused,
    Accepted,
}

/// A database that is open to be read.
#[derive(Debug)]
pub(super) struct Snapshot {
    db: Db,
    schema: i64,
    /// The file as it was without a log; `None` if there is a log.
    unchanged: Option<FileState>,
}

impl Snapshot {
    /// Opens the database at `path`. Nothing is locked before the first query.
    ///
    /// # Errors
    /// There is no database of arauto, or one of a newer version. Or see [`StoreError`].
    pub(super) fn open(path: &Path, lost_log: LostLog) -> Result<Snapshot, StoreError> {
        let unchanged = FileState::without_log(path).map_err(|source| io_error(path, source))?;
        check_file(path, unchanged.is_some())?;
        if lost_log == LostLog::Refused && wal_mark::is_log_missing(path) {
            return Err(StoreError::LacksWal(path.to_owned()));
        }
        Snapshot::connect(path, unchanged)
    }

    fn connect(path: &Path, unchanged: Option<FileState>) -> Result<Snapshot, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = match unchanged {
            Some(_) => {
                let flags = flags | OpenFlags::SQLITE_OPEN_URI;
                Connection::open_with_flags(wal_mark::immutable(path), flags)
            }
            None => Connection::open_with_flags(path, flags),
        };
        let connection = opened.map_err(|error| StoreError::sqlite(path, error))?;
        let mut db = Db::over(connection, path, &WaitLimit::default())?;
        let schema = db.run(|connection| schema::version(connection))?;
        if schema > SCHEMA {
            let (path, found) = (path.to_owned(), schema);
            return Err(StoreError::Newer { path, found });
        }
        if schema < 1 {
            return Err(no_database(path, "does not have arauto's tables"));
        }
        db.run(|connection| schema::add_missing(connection, schema))?;
        Ok(Snapshot {
            db,
            schema,
            unchanged,
        })
    }

    /// Runs `work` on the database. If a server has begun to use the database meanwhile, `work` runs
    /// once more.
    ///
    /// # Errors
    /// Those of `work`, or see [`Snapshot::open`].
    pub(super) fn read<T, E: From<StoreError>>(
        path: &Path,
        lost_log: LostLog,
        mut work: impl FnMut(&mut Snapshot) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut snapshot = Snapshot::open(path, lost_log)?;
        let outcome = work(&mut snapshot);
        if snapshot.check_unchanged().is_ok() {
            return outcome;
        }
        work(&mut Snapshot::connect(path, None)?)
    }

    /// Checks that what was read is a state that the database had.
    ///
    /// # Errors
    /// [`StoreError::Changed`] if a server has begun to use the database.
    pub(super) fn check_unchanged(&self) -> Result<(), StoreError> {
        let path = self.db.path();
        match &self.unchanged {
            Some(before)
                if FileState::without_log(path).ok().flatten().as_ref() != Some(before) =>
            {
                Err(StoreError::Changed(path.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Begins a transaction: everything that is read from now on is of one moment.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        self.db.run(|connection| connection.execute_batch("BEGIN"))
    }

    pub(super) fn db(&mut self) -> &mut Db {
        &mut self.db
    }

    /// Returns the version of the tables in the file.
    pub(super) fn schema(&self) -> i64 {
        self.schema
    }
}

/// The length and the time of the last change of a database without a log.
#[derive(Debug, PartialEq, Eq)]
struct FileState {
    length: u64,
    modified: Option<SystemTime>,
}

impl FileState {
    /// Returns the state of the file; `None` if it has a log or an index of one, or a journal.
    fn without_log(path: &Path) -> io::Result<Option<FileState>> {
        let found = std::fs::metadata(path)?;
        let has_log = ["-wal", "-shm", "-journal"]
            .iter()
            .any(|suffix| beside(path, suffix).exists());
        Ok((!has_log).then(|| FileState {
            length: found.len(),
            modified: found.modified().ok(),
        }))
    }
}

/// Checks what can be told from the file's name, its start and its length. `is_whole`: there is no
/// log, so that the file must have all pages.
fn check_file(path: &Path, is_whole: bool) -> Result<(), StoreError> {
    if is_unfinished(path) {
        let problem = "is unfinished: a start or an import was killed before it was complete; \
                       remove it";
        return Err(no_database(path, problem));
    }
    // Reading another kind of file may wait for ever.
    if !std::fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return Err(no_database(path, "is not a regular file"));
    }
    let mut header = Vec::new();
    let mut file = File::open(path).map_err(|source| io_error(path, source))?;
    let read = file.by_ref().take(HEADER as u64).read_to_end(&mut header);
    read.map_err(|source| io_error(path, source))?;
    if header.is_empty() {
        return Err(no_database(path, "is empty"));
    }
    if !header.starts_with(MAGIC) {
        return Err(no_database(path, "is not an SQLite database"));
    }
    let length = file.metadata().map_err(|source| io_error(path, source))?;
    match declared_length(&header) {
        Some(declared) if is_whole && length.len() < declared => {
            let length = length.len();
            let problem = format!("is cut short: it has {length} of {declared} bytes");
            Err(no_database(path, problem))
        }
        _ => Ok(()),
    }
}

/// Returns the length that a database's header declares; `None` if it declares none.
fn declared_length(header: &[u8]) -> Option<u64> {
    let number = |at: usize| {
        let bytes = header.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    };
    let page = match u16::from_be_bytes(header.get(16..18)?.try_into().ok()?) {
        1 => 65_536,
        page => u64::from(page),
    };
    // The number of pages counts only if the same change has written both counters.
    let is_valid = number(24)? == number(92)?;
    is_valid.then(|| Some(u64::from(number(28)?) * page))?
}

fn no_database(path: &Path, problem: impl Into<String>) -> StoreError {
    StoreError::NoDatabase {
        path: path.to_owned(),
        problem: problem.into(),
    }
}

fn io_error(path: &Path, source: io::Error) -> StoreError {
    StoreError::Io {
        path: path.to_owned(),
        source,
    }
}

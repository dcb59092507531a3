//! One connection that writes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

use super::database_files::{DatabaseFiles, beside};
use super::schema::{self, SCHEMA};
use super::wal_mark;
use super::{StoreError, WaitLimit};

/// How long the last checkpoint waits for a process that reads: all that it would bring is
/// a shorter write-ahead log.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// The write-ahead log goes into the file once it has so many pages (16 MiB): each
/// time costs two syncs, so not too often, and readers look through it, so not
/// too seldom.
const CHECKPOINT_PAGES: i64 = 4096;

/// After a burst the write-ahead log is cut to this length.
const WAL_LIMIT: i64 = 32 << 20;

/// Pages kept in memory, in KiB: a batch of the journal must fit, or it is written
/// twice.
const CACHE_KIB: i64 = 16 << 10;

/// One connection to the database.
#[derive(Debug)]
pub struct Db {
    path: PathBuf,
    connection: Connection,
    limit: WaitLimit,
    is_trusted: bool,
    files: Option<Arc<DatabaseFiles>>,
    /// The last look found that the files had been moved.
    is_moved: bool,
    /// The length of the write-ahead log that was last told.
    told_wal: u64,
}

impl Db {
    /// Opens the database at `path`, which must exist; an empty file becomes one,
    /// and older tables become today's.
    ///
    /// Every commit is on disk when it returns (WAL, `synchronous=FULL`).
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(path: &Path) -> Result<Db, StoreError> {
        let mut db = Db::connect(path, &WaitLimit::default())?;
        db.prepare()?;
        db.trust()?;
        Ok(db)
    }

    /// As [`Db::open`], after a look at every page: what is damaged is refused
    /// before anything is written. Until [`Db::trust`] nothing tidies up either.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open_sound(path: &Path) -> Result<Db, StoreError> {
        Db::open_sound_within(path, &WaitLimit::default())
    }

    /// As [`Db::open_sound`], and waits for other processes as `limit` says.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open_sound_within(path: &Path, limit: &WaitLimit) -> Result<Db, StoreError> {
        if wal_mark::is_missing(path) {
            return Err(StoreError::LacksWal(path.to_owned()));
        }
        let mut db = Db::connect(path, limit)?;
        db.look_at_every_page()?;
        db.prepare()?;
        Ok(db)
    }

    /// Opens a copy on which nobody else works: every page is looked at, and older tables
    /// become today's. It stays one file.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub(super) fn open_copy(path: &Path) -> Result<Db, StoreError> {
        let mut db = Db::connect(path, &WaitLimit::default())?;
        db.look_at_every_page()?;
        db.run(|connection| {
            let transaction = connection.transaction()?;
            schema::prepare(&transaction)?;
            transaction.commit()
        })?;
        Ok(db)
    }

    fn connect(path: &Path, limit: &WaitLimit) -> Result<Db, StoreError> {
        let connection = Connection::open(path).map_err(|error| StoreError::sqlite(path, error))?;
        let mut db = Db {
            path: path.to_owned(),
            connection,
            limit: limit.clone(),
            is_trusted: false,
            files: None,
            is_moved: false,
            told_wal: 0,
        };
        db.run(|connection| {
            limit.install(connection)?;
            limit.interrupts(connection);
            leave_alone(connection, true)
        })?;
        Ok(db)
    }

    fn look_at_every_page(&mut self) -> Result<(), StoreError> {
        let found: String = self.run(|connection| {
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        })?;
        match found.as_str() {
            "ok" => Ok(()),
            // SQLite's first line names the place.
            _ => Err(self.damaged(found.replace('\n', " "))),
        }
    }

    fn prepare(&mut self) -> Result<(), StoreError> {
        let found = self.run(|connection| {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
            connection.pragma_update(None, "journal_size_limit", WAL_LIMIT)?;
            connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
            // Mostly there is nothing to do, and the one who writes is not waited for.
            let found = schema::version(connection)?;
            if found == SCHEMA {
                return Ok(found);
            }
            let immediate = TransactionBehavior::Immediate;
            let transaction = connection.transaction_with_behavior(immediate)?;
            let found = schema::prepare(&transaction)?;
            transaction.commit()?;
            Ok(found)
        })?;
        if !(0..=SCHEMA).contains(&found) {
            return Err(StoreError::Newer {
                path: self.path.clone(),
                found,
            });
        }
        let files = DatabaseFiles::note(&self.path).map_err(|source| StoreError::Io {
            path: self.path.clone(),
            source,
        })?;
        self.files = Some(Arc::new(files));
        Ok(())
    }

    /// Looks whether the database's path still names the files that are open. Commits to
    /// other files would be lost.
    ///
    /// # Errors
    /// [`StoreError::Moved`].
    pub fn check_location(&mut self) -> Result<(), StoreError> {
        let moved = self.files.as_ref().and_then(|files| files.moved());
        let is_moved = moved.is_some();
        let outcome = match moved {
            None => Ok(()),
            Some(path) => Err(StoreError::Moved(path.to_owned())),
        };
        if std::mem::replace(&mut self.is_moved, is_moved) != is_moved {
            match &outcome {
                Ok(()) => tracing::info!(file = %self.path.display(), "database files are back"),
                Err(error) => tracing::error!(%error, "database files were removed or replaced"),
            }
        }
        outcome
    }

    /// The files that are open, for others who open them.
    pub(super) fn files(&self) -> Option<Arc<DatabaseFiles>> {
        self.files.clone()
    }

    /// Tells the log when the write-ahead log has grown far beyond what a checkpoint leaves,
    /// and again each time that it has doubled.
    pub(super) fn note_wal_length(&mut self, retain_bytes: u64) {
        let length = std::fs::metadata(beside(&self.path, "-wal")).map_or(0, |found| found.len());
        let usual = retain_bytes.max(WAL_LIMIT.unsigned_abs());
        if length <= usual {
            self.told_wal = 0;
        } else if length >= self.told_wal.saturating_mul(2) {
            self.told_wal = length;
            let file = self.path.display();
            tracing::warn!(
                %file,
                wal_bytes = length,
                retain_bytes,
                "write-ahead log is growing: a process reads the database in one long transaction"
            );
        }
    }

    /// From here on the file is known to be sound: closing it may tidy up.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn trust(&mut self) -> Result<(), StoreError> {
        self.is_trusted = true;
        self.run(|connection| leave_alone(connection, false))
    }

    /// The last step: a file that is not trusted keeps its bytes.
    ///
    /// # Errors
    /// See [`StoreError`]; the files were moved, and what was committed goes with them.
    pub(super) fn tidy_up(&mut self) -> Result<(), StoreError> {
        self.check_location()?;
        if self.is_trusted {
            self.limit.shorten(Instant::now() + LAST_PATIENCE);
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A number that changes when another process has changed the database
    /// (SQLite's `data_version`). A look at shared memory, not at the disk.
    ///
    /// # Errors
    /// See [`StoreError`]; the database's path names other files, so that what another process
    /// changes is not seen here.
    pub fn data_version(&mut self) -> Result<i64, StoreError> {
        self.check_location()?;
        self.run(|connection| {
            connection
                .prepare_cached("PRAGMA data_version")?
                .query_row([], |row| row.get(0))
        })
    }

    /// Has the database file say that its write-ahead log belongs to it, so that a copy of the
    /// file alone is found out. It holds until the log is next moved into the file.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn mark_wal(&mut self) -> Result<(), StoreError> {
        self.commit(|connection| wal_mark::set(connection))
    }

    /// Moves what the write-ahead log holds into the database file.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        let is_busy: bool = self.run(|connection| {
            // First what needs no wait for anybody: then the time is for the rest.
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        })?;
        if is_busy {
            // Nothing is lost: what is in the WAL is on disk, and the next one moves it.
            let file = self.path.display();
            tracing::warn!(%file, "another process reads the database, no checkpoint was made");
        }
        Ok(())
    }

    /// Runs statements, and names the file where they fail.
    pub(crate) fn run<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        work(&mut self.connection).map_err(|error| StoreError::sqlite(&self.path, error))
    }

    /// As [`Db::run`], for statements that commit: they count only where the database's path
    /// names the files that are open, before and after.
    pub(crate) fn commit<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.check_location()?;
        let outcome = self.run(work)?;
        self.check_location()?;
        Ok(outcome)
    }

    pub(super) fn limit(&self) -> &WaitLimit {
        &self.limit
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    pub(super) fn failed(&self, error: rusqlite::Error) -> StoreError {
        StoreError::sqlite(&self.path, error)
    }

    pub(super) fn damaged(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Damaged {
            path: self.path.clone(),
            reason: reason.into(),
        }
    }
}

/// Whether closing the connection leaves the file and its write-ahead log as they
/// are; otherwise the last one to close moves the one into the other.
fn leave_alone(connection: &Connection, alone: bool) -> rusqlite::Result<()> {
    let option = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    connection.set_db_config(option, alone).map(drop)
}

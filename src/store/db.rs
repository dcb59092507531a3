//! The connection that writes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

use super::database_files::{DatabaseFiles, beside};
use super::faults::CheckError;
use super::open::open_for_writing;
use super::schema::{self, SCHEMA};
use super::{StoreError, WaitLimit};
use super::{new_database, wal_mark};

/// How long the checkpoint at the close waits for other processes that read. Without it no data
/// is lost; the write-ahead log only stays as long as it is.
const FINAL_CHECKPOINT_WAIT: Duration = Duration::from_secs(1);

/// SQLite makes a checkpoint when the write-ahead log has this many pages (16 MiB). A checkpoint
/// costs two syncs, so it must not be frequent; readers search the log, so it must not grow long
/// (`wal_autocheckpoint`, <https://sqlite.org/pragma.html>).
const CHECKPOINT_PAGES: i64 = 4096;

/// The size in bytes to which SQLite truncates the write-ahead log after a burst
/// (`journal_size_limit`).
const WAL_LIMIT: i64 = 32 << 20;

/// SQLite's page cache in KiB. A batch of the journal must fit into it, or SQLite writes the
/// batch to the log twice.
const CACHE_KIB: i64 = 16 << 10;

/// One connection to the database.
#[derive(Debug)]
pub struct Db {
    path: PathBuf,
    connection: Connection,
    limit: WaitLimit,
    is_trusted: bool,
    /// Whether the database was created when it was opened.
    is_new: bool,
    /// Whether the file was marked before this connection's first commit.
    has_marked: bool,
    files: Option<Arc<DatabaseFiles>>,
    /// Whether the last check found that the files had been moved.
    is_moved: bool,
    /// The length of the write-ahead log when it was last logged, in bytes; 0 if it was not.
    logged_wal_length: u64,
}

impl Db {
    /// Opens the database at `path`. If there is none it is created, and older tables are
    /// upgraded.
    ///
    /// Every commit is on disk when it returns (WAL, `synchronous=FULL`).
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(path: &Path) -> Result<Db, StoreError> {
        new_database::create(path, |_| Ok(()))?;
        let mut db = Db::connect(path, &WaitLimit::default())?;
        db.prepare()?;
        db.trust()?;
        Ok(db)
    }

    /// Like [`Db::open`], but checks every page first, so that a damaged file is refused before
    /// anything is written. Until [`Db::trust`] is called, closing makes no checkpoint either.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open_checked(path: &Path) -> Result<Db, StoreError> {
        Db::open_checked_within(path, &WaitLimit::default())
    }

    /// Like [`Db::open_checked`], but `limit` bounds the waits for other processes.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open_checked_within(path: &Path, limit: &WaitLimit) -> Result<Db, StoreError> {
        Db::open_checked_or_create(path, limit, |_| Ok(()))
    }

    /// Like [`Db::open_checked_within`]. If the database is created, `fill` writes its first rows
    /// (see [`Db::is_new`]).
    ///
    /// # Errors
    /// See [`StoreError`].
    pub(super) fn open_checked_or_create(
        path: &Path,
        limit: &WaitLimit,
        fill: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<Db, StoreError> {
        if wal_mark::is_log_missing(path) {
            return Err(StoreError::LacksWal(path.to_owned()));
        }
        let is_new = new_database::create(path, fill)?;
        let mut db = Db::connect(path, limit)?;
        db.is_new = is_new;
        db.check_pages()?;
        db.prepare()?;
        Ok(db)
    }

    /// Opens a copy that nothing else has open: checks every page, and upgrades older tables.
    /// No write-ahead log is created.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub(super) fn open_copy(path: &Path) -> Result<Db, StoreError> {
        let mut db = Db::connect(path, &WaitLimit::default())?;
        db.check_pages()?;
        db.run(|connection| {
            let transaction = connection.transaction()?;
            schema::prepare(&transaction)?;
            transaction.commit()
        })?;
        Ok(db)
    }

    fn connect(path: &Path, limit: &WaitLimit) -> Result<Db, StoreError> {
        let connection = open_for_writing(path).map_err(|error| StoreError::sqlite(path, error))?;
        Db::over(connection, path, limit)
    }

    /// Wraps a connection to the database at `path`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub(super) fn over(
        connection: Connection,
        path: &Path,
        limit: &WaitLimit,
    ) -> Result<Db, StoreError> {
        let mut db = Db {
            path: path.to_owned(),
            connection,
            limit: limit.clone(),
            is_trusted: false,
            is_new: false,
            has_marked: false,
            files: None,
            is_moved: false,
            logged_wal_length: 0,
        };
        db.run(|connection| {
            limit.install(connection)?;
            limit.set_interruptible(connection);
            set_checkpoint_on_close(connection, false)
        })?;
        Ok(db)
    }

    fn check_pages(&mut self) -> Result<(), StoreError> {
        let found: String = self.run(|connection| {
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        })?;
        match found.as_str() {
            "ok" => Ok(()),
            _ => Err(self.damaged(found.replace('\n', " "))), // SQLite's first finding
        }
    }

    fn prepare(&mut self) -> Result<(), StoreError> {
        let found = self.run(|connection| {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
            connection.pragma_update(None, "journal_size_limit", WAL_LIMIT)?;
            connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
            // Usually the tables are current; then no write lock is needed, so there is no wait
            // for another writer.
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

    /// Checks that the database's paths still name the files that are open. Commits to files
    /// that were removed or replaced would be lost.
    ///
    /// # Errors
    /// [`StoreError::Moved`] if one of them does not.
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

    /// Returns the identities of the open files.
    pub(super) fn files(&self) -> Option<Arc<DatabaseFiles>> {
        self.files.clone()
    }

    /// Returns the length of the write-ahead log; 0 if there is none.
    pub fn wal_bytes(&self) -> u64 {
        let wal = std::fs::metadata(beside(&self.path, "-wal"));
        wal.map_or(0, |metadata| metadata.len())
    }

    /// Logs a warning when the write-ahead log is longer than [`WAL_LIMIT`] and `retain_bytes`,
    /// and again each time that its length has doubled.
    pub(super) fn warn_about_wal_length(&mut self, retain_bytes: u64) {
        let length = self.wal_bytes();
        let usual = retain_bytes.max(WAL_LIMIT.unsigned_abs());
        if length <= usual {
            self.logged_wal_length = 0;
        } else if length >= self.logged_wal_length.saturating_mul(2) {
            self.logged_wal_length = length;
            let file = self.path.display();
            tracing::warn!(
                %file,
                wal_bytes = length,
                retain_bytes,
                "write-ahead log is growing; a long read transaction blocks its checkpoint"
            );
        }
    }

    /// Marks the file as checked: from now on closing it makes a checkpoint.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn trust(&mut self) -> Result<(), StoreError> {
        self.is_trusted = true;
        self.run(|connection| set_checkpoint_on_close(connection, true))
    }

    /// Makes the last checkpoint before the close. A file that is not trusted is left unchanged.
    ///
    /// # Errors
    /// See [`StoreError`]. With [`StoreError::Moved`] the commits since the move are lost.
    pub(super) fn final_checkpoint(&mut self) -> Result<(), StoreError> {
        self.check_location()?;
        if self.is_trusted {
            self.limit.shorten(Instant::now() + FINAL_CHECKPOINT_WAIT);
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Returns the database's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a number that changes when another process has changed the database
    /// (`PRAGMA data_version`, <https://sqlite.org/pragma.html>). It reads shared memory, not
    /// the disk.
    ///
    /// # Errors
    /// See [`StoreError`]. With [`StoreError::Moved`] the changes of other processes cannot be
    /// seen, because they are made to another file.
    pub fn data_version(&mut self) -> Result<i64, StoreError> {
        self.check_location()?;
        self.run(|connection| {
            connection
                .prepare_cached("PRAGMA data_version")?
                .query_row([], |row| row.get(0))
        })
    }

    /// Marks the database file as incomplete without its write-ahead log, so that a copy of the
    /// file alone is detected. The mark lasts until the next checkpoint. Call it before each
    /// commit of data; only the first call does something.
    ///
    /// # Errors
    /// See [`StoreError`]. The next call tries again.
    pub(super) fn mark_before_commit(&mut self) -> Result<(), StoreError> {
        if !self.has_marked {
            self.run(|connection| wal_mark::set(connection))?;
            self.has_marked = true;
        }
        Ok(())
    }

    /// Makes a checkpoint: moves the content of the write-ahead log into the database file. If
    /// another process reads, only a part of it is moved, and the rest stays durable in the log.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        let is_busy: bool = self.run(|connection| {
            // PASSIVE moves all it can without a wait. TRUNCATE waits, but has less left to move.
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        })?;
        if is_busy {
            let file = self.path.display();
            tracing::warn!(%file, "checkpoint is incomplete; another process reads the database");
        }
        Ok(())
    }

    /// Runs statements. An error carries the database's path.
    pub(crate) fn run<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        work(&mut self.connection).map_err(|error| StoreError::sqlite(&self.path, error))
    }

    /// Like [`Db::run`], for statements that commit. Checks the files' location before and after,
    /// and fails if they were moved, because the commit would then be lost. Marks the file first.
    pub(crate) fn commit<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.check_location()?;
        self.mark_before_commit()?;
        let outcome = self.run(work)?;
        self.check_location()?;
        Ok(outcome)
    }

    /// Whether the database was created when it was opened, with the rows of its caller.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
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

    pub(super) fn check_failed(&self, error: CheckError) -> StoreError {
        match error {
            CheckError::Sqlite(error) => self.failed(error),
            CheckError::Damaged(reason) => self.damaged(reason),
        }
    }

    pub(super) fn damaged(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Damaged {
            path: self.path.clone(),
            reason: reason.into(),
        }
    }
}

/// Sets whether SQLite makes a checkpoint when the last connection is closed
/// (`SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE`, <https://sqlite.org/c3ref/c_dbconfig_defensive.html>).
fn set_checkpoint_on_close(connection: &Connection, enabled: bool) -> rusqlite::Result<()> {
    let option = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    connection.set_db_config(option, !enabled).map(drop)
}

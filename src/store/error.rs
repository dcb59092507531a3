//! Errors of the database.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHORT_READ;

use super::schema::SCHEMA;

/// Errors of the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file is not an SQLite database, or is damaged.
    #[error(
        "{} is damaged ({reason}): move it away and restore a backup; the file was not changed",
        path.display()
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// The problem, and where it is.
        reason: String,
    },
    /// The tables are of a later version of arauto.
    #[error(
        "{}: schema {found} is newer than this arauto, which knows up to {SCHEMA}: use the version \
         that wrote it",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i64,
    },
    /// The file has no database of arauto.
    #[error("{} {problem}", path.display())]
    NoDatabase {
        /// The file.
        path: PathBuf,
        /// The problem, for the error's text.
        problem: String,
    },
    /// A server has begun to use the database while it was read.
    #[error("{} has changed while it was read: try again", .0.display())]
    Changed(PathBuf),
    /// Another program removed or replaced a file of the database while it was open.
    #[error(
        "{} is not the file that is open: it was removed or replaced while it was in use; put it \
         back, or stop the server (docs/operations.md)",
        .0.display()
    )]
    Moved(PathBuf),
    /// The database was copied from a running server, without its write-ahead log.
    #[error(
        "{path} was copied from a running server without {path}-wal, so its newest commits are \
         missing: copy it again with `arauto backup`, or, to continue without them, move the file \
         away and `arauto restore` it",
        path = .0.display()
    )]
    LacksWal(PathBuf),
    /// The database cannot be created.
    #[error("cannot create {}: {source} (choose another folder with --data)", path.display())]
    NotCreated {
        /// The database.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file cannot be accessed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The thread that writes the database panicked.
    #[error(
        "{}: the thread that writes the database panicked; all acknowledged changes are on disk",
        path.display()
    )]
    Panicked {
        /// The database.
        path: PathBuf,
    },
    /// Another error of SQLite: no space, no permission, locked for too long.
    #[error("{}: {source}", path.display())]
    Failed {
        /// The database.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// Wraps SQLite's error with the path of the database.
    pub(super) fn sqlite(path: &Path, source: rusqlite::Error) -> StoreError {
        let path = path.to_owned();
        if is_damage(&source) {
            let reason = source.to_string();
            return StoreError::Damaged { path, reason };
        }
        StoreError::Failed { path, source }
    }
}

/// Whether an error of SQLite means that the file is damaged, or is no database.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        // A value that is not UTF-8, or not of its column's type.
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => true,
        // The file is truncated. For some pages SQLite reports this instead of corruption.
        rusqlite::Error::SqliteFailure(error, _)
            if error.extended_code == SQLITE_IOERR_SHORT_READ =>
        {
            true
        }
        other => matches!(
            other.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        ),
    }
}

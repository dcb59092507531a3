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
        "{} was written by a newer arauto (schema {found}, this version knows {SCHEMA}): use that \
         version",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i64,
    },
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
        let is_damage = match &source {
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
        };
        if is_damage {
            let reason = source.to_string();
            return StoreError::Damaged { path, reason };
        }
        StoreError::Failed { path, source }
    }
}

//! Errors of the database.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHORT_READ;

use super::schema::SCHEMA;

/// Errors of the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file is no database, or a broken one.
    #[error(
        "{} is damaged ({reason}): move it away and restore a copy; its bytes were left alone",
        path.display()
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// The problem, and where it is.
        reason: String,
    },
    /// The tables are of a later version of arauto.
    #[error("{} was written by a newer arauto (tables {found}, known here {SCHEMA}): use that one", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// The database's path no longer names the files that are open: they were removed, or
    /// replaced, by another program.
    #[error(
        "{} is not the file that is open: it was removed or replaced while it was in use; put it \
         back, or stop the server (docs/operations.md)",
        .0.display()
    )]
    Moved(PathBuf),
    /// The database was copied from a running server, without its write-ahead log.
    #[error(
        "{path} was copied from a running server without {path}-wal, and what that held is \
         missing: copy it with `arauto backup`; to go on with what is there, move the file away \
         and `arauto restore` it",
        path = .0.display()
    )]
    LacksWal(PathBuf),
    /// The system does not let the file be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The thread that writes has panicked.
    #[error(
        "{}: the thread that writes it panicked; what was acknowledged before is on disk",
        path.display()
    )]
    Panicked {
        /// The database.
        path: PathBuf,
    },
    /// Anything else: no space, no permission, locked for too long.
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
            // Text that is no UTF-8, a number where text must be.
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..) => true,
            // The file ends where it should not; whether SQLite takes the rest for zeros
            // depends on what it reads there.
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

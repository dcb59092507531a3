//! What can go wrong with the database.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHORT_READ;

use super::schema::SCHEMA;

/// What can go wrong with the database.
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
        /// What is wrong, and where.
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
    /// An account in it cannot be one.
    #[error("{} holds an account that cannot be: {name:?}: {reason}", path.display())]
    Impossible {
        /// The database.
        path: PathBuf,
        /// The account's name.
        name: String,
        /// Why it cannot be.
        reason: String,
    },
    /// Anything else: no space, no permission, locked for too long.
    #[error("{}: {source}", path.display())]
    Failed {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// What SQLite says of the database at `path`.
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

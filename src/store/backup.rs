//! Backs up a database while a server runs, and restores a copy while none does.
//!
//! The problem: a running server's commits are spread over two files, the database and its
//! write-ahead log. A copy of one of them, or of both at different moments, is not a state that
//! was ever committed. So SQLite makes the copy in one read transaction
//! (`VACUUM INTO`, <https://sqlite.org/lang_vacuum.html>). And if a restored copy kept the
//! stream's name, the seqs that clients have already read would soon stand for other broadcasts.
//! So a restored copy begins a new stream.
//!
//! Invariants:
//! - a copy gets its name only after it was checked and synced to disk;
//! - a database that is replaced is kept beside the new one.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::check::{CheckedJournal, check_journal, read_state};
use super::database_files::{beside, folder_of, sync_folder};
use super::faults::Faults;
use super::journal::{State, write_state};
use super::open::open_for_writing;
use super::snapshot::{LostLog, Snapshot};
use super::stream_name::stream_name;
use super::{DataFolder, Db, FolderError, StoreError, wal_mark};
use crate::wire::Seq;

/// The contents of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// The number of accounts.
    pub accounts: u64,
    /// The number of rules for accounts.
    pub rules: u64,
    /// The journal's stream; `None` if the database has no journal.
    pub stream: Option<CopiedStream>,
    /// The new path of the database that was replaced; `None` if there was none.
    pub replaced: Option<PathBuf>,
}

/// The part of a stream that a copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopiedStream {
    /// The stream's name.
    pub name: String,
    /// The first seq that retention keeps.
    pub first: Seq,
    /// The newest seq.
    pub head: Seq,
}

/// Why a copy was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The source or the copy is damaged, or cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The data folder cannot be used, or a server runs on it.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The target exists.
    #[error("{} already exists: {advice}", path.display())]
    Exists {
        /// The file that exists.
        path: PathBuf,
        /// The remedy, for the error's text.
        advice: &'static str,
    },
    /// The source does not have the seq that the copy must have.
    #[error(
        "{} has {}, and not seq {least}: wait until the server has published it, or choose a lower \
         seq",
        path.display(),
        head.map_or_else(|| "no journal".to_owned(), |head| format!("seq {head} as its newest"))
    )]
    NotReached {
        /// The database.
        path: PathBuf,
        /// The newest seq; `None` without a journal.
        head: Option<Seq>,
        /// The seq that the copy must have.
        least: Seq,
    },
    /// The folder's journal has a stream with broadcasts, which an import would remove.
    #[error(
        "{} has a journal with broadcasts: import into a new folder, or move this database away",
        .0.display()
    )]
    HasJournal(PathBuf),
    /// The export does not have the broadcasts that its header announces.
    #[error("{0}")]
    BadImport(String),
    /// The copy cannot be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Copies the database `from` to the new file `to`. A server may be running on `from`. Blocks.
///
/// # Errors
/// See [`CopyError`]. On an error no file `to` is left behind.
pub fn back_up(from: &Path, to: &Path) -> Result<Copied, CopyError> {
    back_up_at_least(from, to, Seq::ZERO)
}

/// As [`back_up`], but only if the copy has the broadcasts up to `least`.
///
/// # Errors
/// [`CopyError::NotReached`] if it does not have them. Otherwise see [`back_up`].
pub fn back_up_at_least(from: &Path, to: &Path, least: Seq) -> Result<Copied, CopyError> {
    if to.exists() {
        let advice = "choose the name of a new file";
        return Err(CopyError::Exists {
            path: to.to_owned(),
            advice,
        });
    }
    let copy = copy_beside(from, to, LostLog::Refused)?;
    let (copied, _) = check_copy(copy.path())?;
    let head = copied.stream.as_ref().map(|stream| stream.head);
    if head.unwrap_or(Seq::ZERO) < least {
        let path = from.to_owned();
        return Err(CopyError::NotReached { path, head, least });
    }
    persist(copy, to, false)?;
    Ok(copied)
}

/// Returns the newest seq of the database's stream; `None` without a journal. A server may be
/// running on it. Blocks.
///
/// # Errors
/// See [`StoreError`].
pub fn head(database: &Path) -> Result<Option<Seq>, StoreError> {
    Snapshot::read(database, LostLog::Refused, |snapshot| {
        let found = snapshot.db().run(|connection| read_state(connection))?;
        Ok(found.map(|(state, _)| state.head))
    })
}

/// Restores the copy `from` into a folder on which no server runs. The restored stream has the
/// copy's broadcasts and a new name. If the folder has a database, `replace` must be set, and
/// that database is kept under another name. Blocks.
///
/// # Errors
/// See [`CopyError`]. On an error the folder's database is unchanged.
pub fn restore(from: &Path, folder: &DataFolder, replace: bool) -> Result<Copied, CopyError> {
    let _lock = folder.lock()?;
    let to = folder.database_path();
    let has_database = has_data(&to);
    if has_database && !replace {
        let advice = "add --replace to rename it and restore the copy in its place";
        return Err(CopyError::Exists { path: to, advice });
    }
    let copy = copy_beside(from, &to, LostLog::Accepted)?;
    let (mut copied, journal) = check_copy(copy.path())?;
    let state = journal.map(|journal| State {
        stream: stream_name(),
        ..journal.state
    });
    change_copy(copy.path(), |connection| {
        if let Some(state) = &state {
            write_state(connection, state)?;
        }
        connection.execute("DELETE FROM term", [])?;
        connection.execute("DELETE FROM producer", [])?;
        wal_mark::clear(connection)
    })?;
    if let (Some(stream), Some(state)) = (&mut copied.stream, state) {
        stream.name = state.stream;
    }
    if !has_database {
        persist(copy, &to, true)?;
        return Ok(copied);
    }
    let replaced = link_replaced(&to)?;
    if let Err(error) = persist(copy, &to, true) {
        // Undo the step before. If this fails too, the next start reports it.
        let _ = std::fs::rename(beside(&replaced, "-wal"), beside(&to, "-wal"));
        let _ = std::fs::remove_file(&replaced);
        return Err(error);
    }
    copied.replaced = Some(replaced);
    Ok(copied)
}

/// Changes a copy in one transaction. Nothing else has the copy open.
fn change_copy(
    path: &Path,
    change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::sqlite(path, error);
    let mut connection = open_for_writing(path).map_err(failed)?;
    let transaction = connection.transaction().map_err(failed)?;
    change(&transaction).map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// Copies a consistent state of a database to a temporary file in the folder of `to`.
fn copy_beside(
    from: &Path,
    to: &Path,
    lost_log: LostLog,
) -> Result<tempfile::NamedTempFile, CopyError> {
    let failed = |source| CopyError::Io {
        path: to.to_owned(),
        source,
    };
    Snapshot::read(from, lost_log, |snapshot| {
        // The file is created with mode 0600, and SQLite accepts an empty file as the target.
        let copy = tempfile::Builder::new()
            .prefix(".arauto-")
            .suffix(".db")
            .tempfile_in(folder_of(to))
            .map_err(failed)?;
        let name = utf8(copy.path()).map_err(failed)?;
        let copied = snapshot
            .db()
            .run(|connection| connection.execute("VACUUM INTO ?", [name]));
        copied?;
        Ok(copy)
    })
}

/// Returns a path as text.
///
/// # Errors
/// It is not UTF-8.
pub(super) fn utf8(path: &Path) -> io::Result<&str> {
    path.to_str().ok_or_else(|| {
        let problem = "SQLite accepts only paths in UTF-8";
        io::Error::new(io::ErrorKind::InvalidInput, problem)
    })
}

/// Checks every page and every row of a copy, and upgrades its tables to the current schema.
pub(super) fn check_copy(path: &Path) -> Result<(Copied, Option<CheckedJournal>), StoreError> {
    let mut db = Db::open_copy(path)?;
    let journal = check_journal(&mut db, None, 0, &mut Faults::first())?;
    let (accounts, rules) = db.run(|connection| {
        let sql = "SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM rule)";
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
    })?;
    let stream = journal.as_ref().map(|journal| CopiedStream {
        name: journal.state.stream.clone(),
        first: journal.state.trimmed.next(),
        head: journal.state.head,
    });
    let copied = Copied {
        accounts,
        rules,
        stream,
        replaced: None,
    };
    Ok((copied, journal))
}

/// Syncs the copy to disk and renames it to `to`.
fn persist(copy: tempfile::NamedTempFile, to: &Path, replace: bool) -> Result<(), CopyError> {
    let failed = |source| CopyError::Io {
        path: to.to_owned(),
        source,
    };
    copy.as_file().sync_all().map_err(failed)?;
    let renamed = match replace {
        true => copy.persist(to),
        false => copy.persist_noclobber(to),
    };
    renamed.map_err(|error| failed(error.error))?;
    sync_folder(to).map_err(failed)
}

/// Whether the database or its write-ahead log exists and is not empty.
fn has_data(database: &Path) -> bool {
    ["", "-wal"].iter().any(|suffix| {
        std::fs::metadata(beside(database, suffix)).is_ok_and(|metadata| metadata.len() > 0)
    })
}

/// Links the database to a second name and moves its write-ahead log beside that name, so that
/// SQLite can open it there. Returns that name. The first name exists all the time.
fn link_replaced(database: &Path) -> Result<PathBuf, CopyError> {
    let replaced = (1..)
        .map(|number| database.with_file_name(format!("arauto-replaced-{number}.db")))
        .find(|path| !path.exists())
        .expect("there are more numbers than files");
    let failed = |source| CopyError::Io {
        path: database.to_owned(),
        source,
    };
    let may_be_missing = |outcome: io::Result<()>| match outcome {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
        _ => Ok(()),
    };
    may_be_missing(std::fs::hard_link(database, &replaced))?;
    // SQLite would apply a log that stays here to the new database.
    may_be_missing(std::fs::rename(
        beside(database, "-wal"),
        beside(&replaced, "-wal"),
    ))?;
    may_be_missing(std::fs::remove_file(beside(database, "-shm")))?;
    sync_folder(database).map_err(failed)?;
    Ok(replaced)
}

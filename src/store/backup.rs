//! Copies of a database: made while a server runs, and put back while none does.
//!
//! The problem: what a running server commits stands in two files, and a copy of either, or
//! of both at different moments, is not what was committed. SQLite makes a copy in one read
//! transaction (`VACUUM INTO`). A copy that is put back would go on under the stream's name,
//! with other broadcasts under seqs that clients have read: it begins a new stream.
//!
//! Invariants:
//! - a copy is whole, looked at and on disk before it has its name, or it is not there;
//! - the database that is replaced is kept beside the new one.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::check::{self, Found};
use super::database_files::beside;
use super::journal::{State, write_state};
use super::schema::{self, SCHEMA};
use super::stream_name::stream_name;
use super::{DataFolder, Db, FolderError, StoreError, wal_mark};
use crate::wire::Seq;

/// The contents of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// Accounts.
    pub accounts: u64,
    /// The journal's stream, where there is a journal.
    pub stream: Option<CopiedStream>,
    /// Where the database that was there before is now.
    pub replaced: Option<PathBuf>,
}

/// The part of a stream that a copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopiedStream {
    /// Its name.
    pub name: String,
    /// The first seq that is kept.
    pub first: Seq,
    /// The newest seq.
    pub head: Seq,
}

/// Why a copy was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The source or the copy is not a sound database, or cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The data folder cannot be used, or a server runs on it.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Something is there already.
    #[error("{} is there already: {advice}", path.display())]
    Exists {
        /// The file or folder that exists.
        path: PathBuf,
        /// The way out, for the error's text.
        advice: &'static str,
    },
    /// The copy cannot be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Copies the database `from`, on which a server may run, to the new file `to`.
///
/// # Errors
/// See [`CopyError`]. Then there is no file `to`.
pub fn back_up(from: &Path, to: &Path) -> Result<Copied, CopyError> {
    if to.exists() {
        let advice = "name a new file";
        return Err(CopyError::Exists {
            path: to.to_owned(),
            advice,
        });
    }
    let copy = copy_beside(from, to)?;
    let (copied, _) = look(copy.path())?;
    keep(copy, to, false)?;
    Ok(copied)
}

/// Puts the copy `from` into a folder on which no server runs, and begins a new stream
/// there: it has the copy's broadcasts under a name of its own. A database that is there is kept beside it where `replace` says so.
///
/// # Errors
/// See [`CopyError`]. Then the folder's database is as it was.
pub fn restore(from: &Path, folder: &DataFolder, replace: bool) -> Result<Copied, CopyError> {
    let _lock = folder.lock()?;
    let to = folder.database_path();
    let has_one = holds_something(&to);
    if has_one && !replace {
        let advice = "to keep it beside the one that is restored, add --replace";
        return Err(CopyError::Exists { path: to, advice });
    }
    let copy = copy_beside(from, &to)?;
    let (mut copied, found) = look(copy.path())?;
    let state = found.map(|found| State {
        stream: stream_name(),
        ..found.state
    });
    change(copy.path(), |connection| {
        if let Some(state) = &state {
            write_state(connection, state)?;
        }
        connection.execute("DELETE FROM term", [])?;
        wal_mark::clear(connection)
    })?;
    if let (Some(kept), Some(state)) = (&mut copied.stream, state) {
        kept.name = state.stream;
    }
    if !has_one {
        keep(copy, &to, true)?;
        return Ok(copied);
    }
    let aside = set_aside(&to)?;
    if let Err(error) = keep(copy, &to, true) {
        // As it was; what fails here is told by the next start.
        let _ = std::fs::rename(beside(&aside, "-wal"), beside(&to, "-wal"));
        let _ = std::fs::remove_file(&aside);
        return Err(error);
    }
    copied.replaced = Some(aside);
    Ok(copied)
}

/// Changes a copy, on which nobody works.
fn change(
    path: &Path,
    change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::sqlite(path, error);
    let mut connection = Connection::open(path).map_err(failed)?;
    let transaction = connection.transaction().map_err(failed)?;
    change(&transaction).map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// Copies a database, as it is at one moment, to a file beside `to` that has no name yet.
fn copy_beside(from: &Path, to: &Path) -> Result<tempfile::NamedTempFile, CopyError> {
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let failed = |source| CopyError::Io {
        path: to.to_owned(),
        source,
    };
    // Its owner's alone. SQLite fills an empty file.
    let copy = tempfile::Builder::new()
        .prefix(".arauto-")
        .suffix(".db")
        .tempfile_in(folder)
        .map_err(failed)?;
    let source = |error| StoreError::sqlite(from, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(from, flags).map_err(source)?;
    connection
        .busy_timeout(std::time::Duration::from_secs(5))
        .map_err(source)?;
    let found = schema::version(&connection).map_err(source)?;
    if !(1..=SCHEMA).contains(&found) {
        return Err(if found == 0 {
            let reason = "it has no tables of arauto".to_owned();
            let path = from.to_owned();
            StoreError::Damaged { path, reason }
        } else {
            let path = from.to_owned();
            StoreError::Newer { path, found }
        }
        .into());
    }
    let name = copy.path().to_str().map(str::to_owned).ok_or_else(|| {
        let problem = "SQLite takes names in UTF-8 only";
        failed(io::Error::new(io::ErrorKind::InvalidInput, problem))
    })?;
    connection
        .execute("VACUUM INTO ?", [name])
        .map_err(source)?;
    Ok(copy)
}

/// Looks at every page and every row of a copy, and makes its tables today's.
fn look(path: &Path) -> Result<(Copied, Option<Found>), StoreError> {
    let mut db = Db::open_copy(path)?;
    let found = check::look(&mut db, None, 0)?;
    let accounts = db.run(|connection| {
        connection.query_row("SELECT count(*) FROM account", [], |row| row.get(0))
    })?;
    let stream = found.as_ref().map(|found| CopiedStream {
        name: found.state.stream.clone(),
        first: found.state.trimmed.next(),
        head: found.state.head,
    });
    let copied = Copied {
        accounts,
        stream,
        replaced: None,
    };
    Ok((copied, found))
}

/// Gives the copy its name, once it is on disk.
fn keep(copy: tempfile::NamedTempFile, to: &Path, replace: bool) -> Result<(), CopyError> {
    let failed = |source| CopyError::Io {
        path: to.to_owned(),
        source,
    };
    copy.as_file().sync_all().map_err(failed)?;
    let kept = match replace {
        true => copy.persist(to),
        false => copy.persist_noclobber(to),
    };
    kept.map_err(|error| failed(error.error))?;
    sync_folder(to).map_err(failed)
}

fn holds_something(database: &Path) -> bool {
    ["", "-wal"].iter().any(|suffix| {
        std::fs::metadata(beside(database, suffix)).is_ok_and(|found| found.len() > 0)
    })
}

/// Gives the database a second name, and moves its write-ahead log there: SQLite can open
/// that, and there is no moment without a database.
fn set_aside(database: &Path) -> Result<PathBuf, CopyError> {
    let aside = (1..)
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
    may_be_missing(std::fs::hard_link(database, &aside))?;
    // It would be taken for that of the new database.
    may_be_missing(std::fs::rename(
        beside(database, "-wal"),
        beside(&aside, "-wal"),
    ))?;
    may_be_missing(std::fs::remove_file(beside(database, "-shm")))?;
    sync_folder(database).map_err(failed)?;
    Ok(aside)
}

/// A rename is on disk once its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix)
        && let Some(folder) = path.parent()
    {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        return File::open(folder)?.sync_all();
    }
    Ok(())
}

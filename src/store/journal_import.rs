//! Makes the journal of a data folder from broadcasts of another one.
//!
//! The broadcasts are written to an unfinished database beside the folder's own, which is checked as
//! a copy is. Only then it gets the database's name, or, where there is a database with accounts,
//! its rows are moved there in one transaction. A crash before that leaves an unfinished file, which
//! the next server or import removes (`DataFolder::lock`).
//!
//! Invariants:
//! - the folder has no database, the old one, or one with the whole journal, at every moment;
//! - the imported stream has a new name, no terms and no producers, as a restored one, and keeps its
//!   seqs.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::backup::{CopiedStream, CopyError, check_copy};
use super::database_files::{beside, folder_of, sync_folder};
use super::folder::UNFINISHED;
use super::import_merge::{check_unused, merge};
use super::import_rows::ImportRows;
use super::snapshot::{LostLog, Snapshot};
use super::stream_name::stream_name;
use super::{DataFolder, Db, FolderLock, StoreError};
use crate::wire::{Seq, ServerFrame};

/// An import that has begun. Dropping it leaves the folder's database as it was.
#[derive(Debug)]
pub struct JournalImport {
    rows: ImportRows,
    /// The unfinished database, which is removed when the import is dropped.
    unfinished: TempPath,
    database: PathBuf,
    /// Dropped last.
    _lock: FolderLock,
}

impl JournalImport {
    /// Begins an import of the broadcasts `first` to `last`, or of none if `last` is one less than
    /// `first`. No server may run on the folder.
    ///
    /// # Errors
    /// The folder's journal has broadcasts, or see [`CopyError`].
    pub fn begin(folder: &DataFolder, first: Seq, last: Seq) -> Result<JournalImport, CopyError> {
        let lock = folder.lock()?;
        let database = folder.database()?;
        if database.exists() {
            Snapshot::read(&database, LostLog::Refused, |snapshot| {
                check_unused(snapshot.db())
            })?;
        } else {
            check_remains(&database)?;
        }
        let failed = |source| CopyError::Io {
            path: database.clone(),
            source,
        };
        let mut prefix = database.file_name().unwrap_or_default().to_owned();
        prefix.push(UNFINISHED);
        let unfinished = tempfile::Builder::new()
            .prefix(&prefix)
            .tempfile_in(folder_of(&database))
            .map_err(failed)?
            // Closed: closing it later would release the locks that SQLite takes (fcntl(2)).
            .into_temp_path();
        Ok(JournalImport {
            rows: ImportRows::create(&unfinished, first, last)?,
            unfinished,
            database,
            _lock: lock,
        })
    }

    /// Adds a kept value whose message is not among the broadcasts. All of them come before the
    /// broadcasts, by their seqs.
    ///
    /// # Errors
    /// [`CopyError::BadImport`] if it is no kept value, or not in order.
    pub fn keep(&mut self, frame: &ServerFrame<'_>) -> Result<(), CopyError> {
        self.rows.keep(frame)
    }

    /// Adds the next broadcast.
    ///
    /// # Errors
    /// [`CopyError::BadImport`] if it has not the next seq.
    pub fn append(&mut self, frame: &ServerFrame<'_>) -> Result<(), CopyError> {
        self.rows.append(frame)
    }

    /// Checks everything, and makes it the folder's journal. Returns the new stream.
    ///
    /// # Errors
    /// [`CopyError::BadImport`] if broadcasts are missing. Or see [`CopyError`].
    pub fn finish(self) -> Result<CopiedStream, CopyError> {
        let name = stream_name();
        self.rows.finish(&name)?;
        let (copied, _) = check_copy(&self.unfinished)?;
        let stream = copied.stream.ok_or_else(|| StoreError::Damaged {
            path: self.unfinished.to_path_buf(),
            reason: "it has no stream".to_owned(),
        })?;
        if self.database.exists() {
            merge(Db::open_checked(&self.database)?, &self.unfinished)?;
            return Ok(stream);
        }
        let failed = |source| CopyError::Io {
            path: self.database.clone(),
            source,
        };
        let file = OpenOptions::new().write(true).open(&self.unfinished);
        file.and_then(|file| file.sync_all()).map_err(failed)?;
        let renamed = self.unfinished.persist_noclobber(&self.database);
        renamed.map_err(|error| failed(error.error))?;
        sync_folder(&self.database).map_err(failed)?;
        Ok(stream)
    }
}

/// Refuses to create a database beside the log of an earlier one, which SQLite would apply to it.
fn check_remains(database: &Path) -> Result<(), CopyError> {
    for suffix in ["-wal", "-journal"] {
        let path = beside(database, suffix);
        if path.exists() {
            let advice = "it belongs to a database that is gone; move it away";
            return Err(CopyError::Exists { path, advice });
        }
    }
    Ok(())
}

//! The data folder: private to its owner, and used by one server at a time.

mod contents;
mod error;
#[cfg(unix)]
mod guard;
#[cfg(not(unix))]
#[path = "plain.rs"]
mod guard;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use self::contents::{DATABASE, LOCK, is_for_arauto_only, is_own_file};
pub use self::error::FolderError;

/// The folder of a server's database.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
}

/// The lock on a data folder; dropping it releases the folder.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "closing the file releases its lock")] File);

impl DataFolder {
    /// Opens the folder, and creates it (mode 0700) if it does not exist. A folder that other
    /// users can open is made private, unless it holds other things than arauto's files.
    ///
    /// # Errors
    /// The system refuses, the folder is a symbolic link, or it belongs to another user.
    pub fn open(path: &Path) -> Result<DataFolder, FolderError> {
        guard::open_folder(path)?;
        Ok(DataFolder {
            path: path.to_owned(),
        })
    }

    /// Whether `path` can become a data folder: it is missing, empty, or one already.
    pub fn may_be(path: &Path) -> bool {
        is_for_arauto_only(path)
    }

    /// Whether a path has the name of a file that the server keeps in a data folder.
    pub fn is_own_file(path: &Path) -> bool {
        is_own_file(path)
    }

    /// Locks the folder for one server.
    ///
    /// # Errors
    /// Another server holds the lock, or see [`DataFolder::open`].
    pub fn lock(&self) -> Result<FolderLock, FolderError> {
        let path = self.path.join(LOCK);
        let file = guard::open_file(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(FolderLock(file)),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(self.path.clone())),
            Err(TryLockError::Error(error)) => Err(FolderError::io(&path, error)),
        }
    }

    /// Returns the database's path; the file may not exist.
    pub(super) fn database_path(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Returns the database's path, and creates the file if it does not exist. Only the owner
    /// can read it; SQLite gives its other files the same permissions.
    ///
    /// # Errors
    /// See [`DataFolder::open`].
    pub fn database(&self) -> Result<PathBuf, FolderError> {
        let path = self.database_path();
        guard::open_file(&path)?;
        Ok(path)
    }
}

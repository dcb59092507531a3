//! The data folder: private, and one server's at a time.

#[cfg(unix)]
mod guard;
#[cfg(not(unix))]
#[path = "plain.rs"]
mod guard;

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The database's name in it.
const DATABASE: &str = "arauto.db";

/// The folder in which a server keeps what must outlive it.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
}

/// What is wrong with a data folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It or a file in it cannot be made or opened.
    #[error("data folder: {}: {source} (choose another with --data)", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Its name, or that of a file in it, is a symbolic link's.
    #[error("data folder: {} is a symbolic link: give what it points to with --data", .0.display())]
    Link(PathBuf),
    /// It or a file in it belongs to another user.
    #[error(
        "data folder: {} belongs to the user {owner}: run as that user, or choose another with --data",
        path.display()
    )]
    NotOurs {
        /// Which file or folder.
        path: PathBuf,
        /// The owner's number.
        owner: u32,
    },
    /// Another server works in it.
    #[error("data folder: {} is in use by another arauto serve", .0.display())]
    InUse(PathBuf),
}

/// Holds the folder against a second server until it is dropped.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "its lock goes when it is closed")] File);

impl DataFolder {
    /// Opens the folder, and makes it (0700) where there is none. One that was open to
    /// others is closed to them, unless it holds other things.
    ///
    /// # Errors
    /// The system does not let it, it is a link, or somebody else's.
    pub fn open(path: &Path) -> Result<DataFolder, FolderError> {
        guard::open_folder(path)?;
        Ok(DataFolder {
            path: path.to_owned(),
        })
    }

    /// Whether nothing in it, if it is there, is anybody else's business.
    pub fn may_be(path: &Path) -> bool {
        match std::fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_none() || path.join(DATABASE).exists(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Takes the folder for one server.
    ///
    /// # Errors
    /// Another server has it, or see [`DataFolder::open`].
    pub fn lock(&self) -> Result<FolderLock, FolderError> {
        let path = self.path.join("arauto.lock");
        let file = guard::open_file(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(FolderLock(file)),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(self.path.clone())),
            Err(TryLockError::Error(error)) => Err(io_error(&path, error)),
        }
    }

    /// The database's path; there may be no file.
    pub(super) fn database_path(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// The database's path; the file is there, readable by its owner only.
    /// SQLite gives its other files the same permissions.
    ///
    /// # Errors
    /// See [`DataFolder::open`].
    pub fn database(&self) -> Result<PathBuf, FolderError> {
        let path = self.database_path();
        guard::open_file(&path)?;
        Ok(path)
    }
}

fn io_error(path: &Path, source: io::Error) -> FolderError {
    FolderError::Io {
        path: path.to_owned(),
        source,
    }
}

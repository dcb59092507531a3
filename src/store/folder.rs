//! The data folder: private, and one server's at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

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
    /// Another server works in it.
    #[error("data folder: {} is in use by another arauto serve", .0.display())]
    InUse(PathBuf),
}

/// Holds the folder against a second server until it is dropped.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "its lock goes when it is closed")] File);

impl DataFolder {
    /// Opens the folder, and makes it (0700) where there is none.
    ///
    /// # Errors
    /// The system does not let it.
    pub fn open(path: &Path) -> Result<DataFolder, FolderError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(path)
            .map_err(|error| io_error(path, error))?;
        Ok(DataFolder {
            path: path.to_owned(),
        })
    }

    /// Takes the folder for one server.
    ///
    /// # Errors
    /// Another server has it.
    pub fn lock(&self) -> Result<FolderLock, FolderError> {
        let path = self.path.join("arauto.lock");
        let file = private_file(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(FolderLock(file)),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(self.path.clone())),
            Err(TryLockError::Error(error)) => Err(io_error(&path, error)),
        }
    }

    /// The database's path; the file is there, readable by its owner only.
    /// SQLite gives its other files the same permissions.
    ///
    /// # Errors
    /// The system does not let it.
    pub fn database(&self) -> Result<PathBuf, FolderError> {
        let path = self.path.join("arauto.db");
        private_file(&path)?;
        Ok(path)
    }
}

/// Opens a file, and makes it (0600 whatever the umask) where there is none.
fn private_file(path: &Path) -> Result<File, FolderError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| io_error(path, error))?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .map_err(|error| io_error(path, error))?;
    Ok(file)
}

fn io_error(path: &Path, source: io::Error) -> FolderError {
    FolderError::Io {
        path: path.to_owned(),
        source,
    }
}

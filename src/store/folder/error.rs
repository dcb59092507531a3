//! Why a data folder cannot be used.

use std::io;
use std::path::{Path, PathBuf};

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The folder or a file in it cannot be created or opened.
    #[error("data folder: {}: {source} (choose another with --data)", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The folder or a file in it is a symbolic link.
    #[error("data folder: {} is a symbolic link: pass its target with --data", .0.display())]
    Link(PathBuf),
    /// The folder or a file in it belongs to another user.
    #[error(
        "data folder: {} belongs to the user {owner}: run as that user, or choose another with --data",
        path.display()
    )]
    NotOurs {
        /// Which file or folder.
        path: PathBuf,
        /// The owner's user id.
        owner: u32,
    },
    /// Another server holds the folder's lock.
    #[error("data folder: {} is in use by another arauto serve", .0.display())]
    InUse(PathBuf),
}

impl FolderError {
    pub(super) fn io(path: &Path, source: io::Error) -> FolderError {
        FolderError::Io {
            path: path.to_owned(),
            source,
        }
    }
}

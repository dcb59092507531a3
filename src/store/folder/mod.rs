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

use self::contents::{DATABASE, LOCK, is_for_arauto_only, is_own_file, remove_unfinished};
pub(super) use self::contents::{UNFINISHED, is_unfinished};
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

    /// Checks a folder as [`DataFolder::open`] does, and changes nothing. Returns whether it exists.
    ///
    /// # Errors
    /// See [`DataFolder::open`].
    pub fn inspect(path: &Path) -> Result<bool, FolderError> {
        guard::inspect_folder(path)
    }

    /// Whether `path` can become a data folder: it is missing, empty, or one already.
    pub fn may_be(path: &Path) -> bool {
        is_for_arauto_only(path)
    }

    /// Whether a path has the name of a file that the server keeps in a data folder.
    pub fn is_own_file(path: &Path) -> bool {
        is_own_file(path)
    }

    /// Locks the folder for one server, and removes what a crash during a first start has left.
    ///
    /// # Errors
    /// Another server holds the lock, or see [`DataFolder::open`].
    pub fn lock(&self) -> Result<FolderLock, FolderError> {
        let path = self.path.join(LOCK);
        let file = guard::open_file(&path)?;
        match file.try_lock() {
            Ok(()) => {
                if let Err(error) = remove_unfinished(&self.path) {
                    let folder = self.path.display();
                    tracing::warn!(%folder, %error, "unfinished database not removed");
                }
                Ok(FolderLock(file))
            }
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(self.path.clone())),
            Err(TryLockError::Error(error)) => Err(FolderError::io(&path, error)),
        }
    }

    /// Returns the database's path; the file is not checked.
    pub(super) fn database_path(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Returns the database's path. The file may not exist. If it does, it is made private: only
    /// the owner can read it. SQLite gives its other files the same permissions.
    ///
    /// # Errors
    /// See [`DataFolder::open`].
    pub fn database(&self) -> Result<PathBuf, FolderError> {
        let path = self.database_path();
        guard::check_file(&path)?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_removes_unfinished_databases_only() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let folder = DataFolder::open(&temp.path().join("data")).expect("writable");
        let file = |name: &str| folder.path.join(name);
        let kept = [
            "arauto.db",
            "arauto.db-wal",
            "arauto.db-new",
            "x-unfinished-a1b2c3",
        ];
        for name in kept {
            std::fs::write(file(name), "x").expect("the folder is ours");
        }
        let unfinished = file("arauto.db-unfinished-a1b2c3");
        assert!(DataFolder::is_own_file(&unfinished));
        std::fs::write(&unfinished, "SQLite").expect("the folder is ours");
        let lock = folder.lock().expect("nobody has it");
        assert!(!unfinished.exists());
        assert!(kept.iter().all(|name| file(name).exists()));

        // A server that finds the lock taken removes nothing.
        std::fs::write(&unfinished, "SQLite").expect("the folder is ours");
        assert!(matches!(folder.lock(), Err(FolderError::InUse(_))));
        assert!(unfinished.exists());
        drop(lock);
    }
}

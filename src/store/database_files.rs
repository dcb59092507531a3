//! The files of a database: their names, and whether the names still stand for the open files.
//!
//! The problem: another program can remove or replace a file that is open. The process that has
//! it open can still commit to it, and those commits are lost when the last process closes the
//! file. So the paths are checked before a commit is acknowledged: three calls of stat(2).

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The identities of a database's files: the database, its write-ahead log, and the log's index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DatabaseFiles {
    files: Vec<(PathBuf, identity::Identity)>,
}

impl DatabaseFiles {
    /// Records the files that are open now. The database must be in WAL mode.
    ///
    /// # Errors
    /// A file is missing.
    pub(super) fn note(database: &Path) -> io::Result<DatabaseFiles> {
        let files = ["", "-wal", "-shm"].map(|suffix| beside(database, suffix));
        let noted = files.into_iter().map(|path| {
            let identity = identity::of(&path)?;
            Ok((path, identity))
        });
        Ok(DatabaseFiles {
            files: noted.collect::<io::Result<_>>()?,
        })
    }

    /// Returns the first path that no longer names the recorded file.
    pub(super) fn moved(&self) -> Option<&Path> {
        let moved = |(path, noted): &&(PathBuf, identity::Identity)| match identity::of(path) {
            Ok(found) => found != *noted,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        self.files
            .iter()
            .find(moved)
            .map(|(path, _)| path.as_path())
    }
}

/// Returns the path of the database with `suffix` appended to its name.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(suffix);
    name.into()
}

/// Returns the folder of the file at `path`.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Syncs the folder of the file at `path`: a rename is durable only after that (fsync(2)). Does
/// nothing on Windows.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder_of(path))?.sync_all(),
        false => Ok(()),
    }
}

#[cfg(unix)]
mod identity {
    use std::io;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    /// The device and the inode. The system does not reuse the inode of an open file.
    pub(super) type Identity = (u64, u64);

    pub(super) fn of(path: &Path) -> io::Result<Identity> {
        let found = std::fs::metadata(path)?;
        Ok((found.dev(), found.ino()))
    }
}

/// Nothing to compare: Windows does not let others remove or rename a file that SQLite has open.
#[cfg(not(unix))]
mod identity {
    use std::io;
    use std::path::Path;

    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(super) struct Identity;

    pub(super) fn of(_path: &Path) -> io::Result<Identity> {
        Ok(Identity)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn file_that_is_removed_or_replaced_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = folder.path().join("x.db");
        let files = ["", "-wal", "-shm"].map(|suffix| beside(&database, suffix));
        assert!(DatabaseFiles::note(&database).is_err(), "nothing is there");
        for file in &files {
            std::fs::write(file, "x").expect("the folder is ours");
        }
        let noted = DatabaseFiles::note(&database).expect("all are there");
        for file in &files {
            assert_eq!(noted.moved(), None);
            let aside = folder.path().join("aside");
            std::fs::rename(file, &aside).expect("the folder is ours");
            assert_eq!(noted.moved(), Some(&**file), "it is gone");
            std::fs::write(file, "y").expect("the folder is ours");
            assert_eq!(noted.moved(), Some(&**file), "it is another");
            std::fs::rename(&aside, file).expect("the folder is ours");
        }
        std::fs::remove_dir_all(folder.path()).expect("the folder is ours");
        assert_eq!(noted.moved(), Some(&*database));
    }
}

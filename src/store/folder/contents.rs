//! The contents of a data folder.

use std::fs::DirEntry;
use std::io;
use std::path::Path;

/// The database's file name. SQLite appends `-wal`, `-shm` and `-journal` for its other files.
pub(super) const DATABASE: &str = "arauto.db";

/// The name of the file that a server locks.
pub(super) const LOCK: &str = "arauto.lock";

/// The end of an unfinished database's name, before its random letters. `DataFolder::lock` removes
/// such files.
pub(in crate::store) const UNFINISHED: &str = "-unfinished-";

/// Whether a path has the name of the database, of its other files, or of the lock.
pub(super) fn is_own_file(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| {
        let of_database = name.strip_prefix(DATABASE);
        let is_of_database = of_database.is_some_and(|end| end.is_empty() || end.starts_with('-'));
        is_of_database || name == LOCK
    })
}

/// Whether the folder is missing, has a database of arauto, or has no other files than arauto's.
/// Then no other program is expected to use it.
pub(super) fn is_for_arauto_only(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => {
            let is_own =
                |entry: io::Result<DirEntry>| entry.is_ok_and(|entry| is_own_file(&entry.path()));
            entries.all(is_own) || path.join(DATABASE).exists()
        }
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Removes the unfinished databases that a crash has left in the folder.
pub(super) fn remove_unfinished(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if is_unfinished(&path) {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Whether a path has the name of an unfinished database.
pub(in crate::store) fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let of_database = name.and_then(|name| name.strip_prefix(DATABASE));
    of_database.is_some_and(|end| end.starts_with(UNFINISHED))
}

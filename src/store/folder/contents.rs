//! The contents of a data folder.

use std::io;
use std::path::Path;

/// The database's file name. SQLite appends `-wal`, `-shm` and `-journal` for its other files.
pub(super) const DATABASE: &str = "arauto.db";

/// The name of the file that a server locks.
pub(super) const LOCK: &str = "arauto.lock";

/// Whether a path has the name of the database, of its other files, or of the lock.
pub(super) fn is_own_file(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| {
        let of_database = name.strip_prefix(DATABASE);
        let is_of_database = of_database.is_some_and(|end| end.is_empty() || end.starts_with('-'));
        is_of_database || name == LOCK
    })
}

/// Whether the folder is missing, empty, or has a database of arauto. Then no other program is
/// expected to use it.
pub(super) fn is_for_arauto_only(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none() || path.join(DATABASE).exists(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

//! The contents of a data folder.

use std::io;
use std::path::Path;

/// The database's file name.
pub(super) const DATABASE: &str = "arauto.db";

/// Whether the folder is missing, empty, or has a database of arauto. Then no other program is
/// expected to use it.
pub(super) fn is_for_arauto_only(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none() || path.join(DATABASE).exists(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

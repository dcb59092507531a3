//! Folders that are closed to others, where that takes more than std.

use std::io;
use std::path::Path;

use super::system;

/// Makes the folder, or closes one that is there, so that it is its owner's alone: by a
/// security descriptor, where the system has those. Where it has modes this does nothing, as
/// std sets them.
///
/// # Errors
/// It is a link, somebody else's, or the system does not let it.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    system::make_private_folder(path)
}

//! Folders that are their owner's alone.

use std::io;
use std::path::Path;

use super::system;

/// Creates the folder, or restricts an existing one, so that it is its owner's alone. On Windows
/// this sets a security descriptor. On unix it does nothing, as the caller sets the mode.
///
/// # Errors
/// The folder is a link or belongs to another user, or the system refuses.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    system::make_private_folder(path)
}

/// Creates the data folder of the Windows service `arauto`, or restricts an existing folder to it:
/// the service's account, SYSTEM and the group Administrators may do anything in it, others
/// nothing. Only an administrator can do that.
///
/// # Errors
/// The folder is a link or belongs to another user, or the system refuses. On unix there is no such
/// service.
pub fn make_service_folder(path: &Path) -> io::Result<()> {
    system::make_service_folder(path)
}

//! Opens a file that this program adds to, and finds out whether its path still leads to it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;

use windows_sys::Win32::Storage::FileSystem::FILE_FLAG_OPEN_REPARSE_POINT;

/// Returns whether there is a file at the path that [`open_to_append`] would take.
///
/// # Errors
/// There is something else, or the system does not tell.
pub(in crate::cli) fn has_file_to_append(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(found) => check(&found).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Opens a file to read it and to add to it, and creates it if there is none. It has the permissions
/// of its folder.
///
/// # Errors
/// There is something else at the path: a link, a folder, a device. Or the file cannot be opened
/// (CreateFileW).
pub(in crate::cli) fn open_to_append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    let file = options
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)?;
    check(&file.metadata()?)?;
    Ok(file)
}

fn check(found: &Metadata) -> io::Result<()> {
    let problem = if found.file_type().is_symlink() {
        "it is a link, which is not followed; name the file itself"
    } else if !found.is_file() {
        "it is not a regular file; name a file or a new one"
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
}

/// Returns whether there is a file at the path. The standard library does not tell whether it is this
/// one; a file that was moved away is noticed until another has its name.
///
/// # Errors
/// The system does not tell.
pub(in crate::cli) fn is_at(_file: &File, path: &Path) -> io::Result<bool> {
    fs::exists(path)
}

//! Checks of the users who may read a file, and folders that only their owner may use.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Does nothing: the caller has made the folder with its mode, which std sets.
pub(in crate::transport) fn make_private_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Returns an error: the service is one of Windows.
pub(in crate::transport) fn make_service_folder(_path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns whether the file's mode lets anyone but its owner use it.
pub(in crate::transport) fn is_readable_by_others(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.mode() & 0o077 != 0)
}

//! Opens the data folder and its files with the system's default permissions (Windows).

use std::fs::{File, OpenOptions, create_dir_all};
use std::io::ErrorKind;
use std::path::Path;

use super::error::FolderError;

pub(super) fn open_folder(path: &Path) -> Result<(), FolderError> {
    create_dir_all(path).map_err(|error| FolderError::io(path, error))
}

pub(super) fn inspect_folder(path: &Path) -> Result<bool, FolderError> {
    match path.read_dir() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FolderError::io(path, error)),
    }
}

/// Does nothing: the file has the permissions of its folder.
pub(super) fn check_file(_path: &Path) -> Result<(), FolderError> {
    Ok(())
}

pub(super) fn open_file(path: &Path) -> Result<File, FolderError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options
        .open(path)
        .map_err(|error| FolderError::io(path, error))
}

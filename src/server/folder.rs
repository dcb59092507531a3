//! The data folder, closed to others by what the system has for that.

use std::path::Path;

use crate::store::{DataFolder, FolderError};
use crate::transport::make_private_folder;

/// Opens a data folder, and makes it where there is none: its owner's alone, by its mode or
/// its security descriptor. One that was open to others is closed to them, unless it holds
/// other things.
///
/// # Errors
/// The system does not let it, it is a link, or somebody else's.
pub fn open_data_folder(path: &Path) -> Result<DataFolder, FolderError> {
    if DataFolder::may_be(path) {
        make_private_folder(path).map_err(|source| FolderError::Io {
            path: path.to_owned(),
            source,
        })?;
    }
    DataFolder::open(path)
}

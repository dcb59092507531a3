//! Opens the data folder, and keeps other users out of it.

use std::path::Path;

use crate::store::{DataFolder, FolderError};
use crate::transport::make_private_folder;

/// Opens a data folder, and makes it if there is none. Only its owner may enter it, by its mode
/// or its security descriptor. A folder that was open to other users is closed to them, unless
/// it holds files of other programs.
///
/// # Errors
/// The system refuses, the path is a link, or the folder belongs to another user.
pub fn open_data_folder(path: &Path) -> Result<DataFolder, FolderError> {
    if DataFolder::may_be(path) {
        make_private_folder(path).map_err(|source| FolderError::Io {
            path: path.to_owned(),
            source,
        })?;
    }
    DataFolder::open(path)
}

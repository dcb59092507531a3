//! Opens the data folder, and keeps other users out of it.

use std::io;
use std::path::Path;

use crate::store::{DataFolder, FolderError};
use crate::transport;

/// Opens a data folder, and makes it if there is none. Only its owner may enter it, by its mode
/// or its security descriptor. A folder that was open to other users is closed to them, unless
/// it holds files of other programs.
///
/// # Errors
/// The system refuses, the path is a link, or the folder belongs to another user.
pub fn open_data_folder(path: &Path) -> Result<DataFolder, FolderError> {
    if DataFolder::may_be(path) {
        transport::make_private_folder(path).map_err(|source| FolderError::Io {
            path: path.to_owned(),
            source,
        })?;
    }
    DataFolder::open(path)
}

/// Makes the data folder of the Windows service `arauto`, or closes an existing one to all but its
/// account, SYSTEM and the group Administrators.
///
/// # Errors
/// The system refuses, the path is a link, or the folder belongs to another user or holds files of
/// other programs. On unix there is no such service.
pub fn make_service_folder(path: &Path) -> io::Result<()> {
    if DataFolder::may_be(path) {
        return transport::make_service_folder(path);
    }
    let problem = "it holds files of other programs: choose another folder";
    Err(io::Error::new(io::ErrorKind::AlreadyExists, problem))
}

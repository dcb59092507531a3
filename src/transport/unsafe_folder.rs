//! The error of a folder that others could create sockets in.

use std::io;

/// The folder of a `pipe:` endpoint's socket belongs to another user, or others may write to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnsafeFolder(pub(super) String);

impl UnsafeFolder {
    /// Returns this error if it is the cause of a failed connect.
    pub fn of(error: &io::Error) -> Option<&UnsafeFolder> {
        error.get_ref()?.downcast_ref()
    }
}

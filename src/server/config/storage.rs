//! Where a server keeps accounts and broadcasts.

use std::path::PathBuf;

use crate::log::Retention;

/// Where a server keeps accounts and broadcasts. The default is in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Storage {
    /// The data folder. `None`: accounts last as long as the server runs.
    pub data: Option<PathBuf>,
    /// Keeps broadcasts on disk, and says how much of them. `None`: broadcasts are kept in
    /// memory only. A journal needs a data folder.
    pub journal: Option<Retention>,
}

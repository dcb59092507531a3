//! Why the hub publishes nothing.

use crate::log::Sealed;

/// Why the hub published nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPublished {
    /// The log is sealed.
    Sealed,
    /// The journal could not be written.
    Unwritten,
}

impl From<Sealed> for NotPublished {
    fn from(_: Sealed) -> Self {
        NotPublished::Sealed
    }
}

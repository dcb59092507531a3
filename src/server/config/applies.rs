//! When a changed value takes effect.

/// When a value that changes while a server runs takes effect
/// ([`ServerHandle::reconfigure`](crate::ServerHandle::reconfigure)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Applies {
    /// At once, for every session. What is there beyond a lower limit stays.
    AtOnce,
    /// For sessions from then on. A session keeps what it was told at its begin.
    ToNewSessions,
    /// With the next start.
    AtRestart,
}

impl Applies {
    /// Returns the words for it in docs/limits.md.
    pub fn as_str(self) -> &'static str {
        match self {
            Applies::AtOnce => "at once",
            Applies::ToNewSessions => "to new sessions",
            Applies::AtRestart => "at a restart",
        }
    }
}

//! Why a session's state cannot be written down now, or not be read back.

use crate::saved_time::TimeOutOfRange;
use crate::wire::Seq;

/// Why a session's state cannot be written down now. Each reason passes by itself, so that the
/// session can be saved later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// A login is being checked: its result comes to this process.
    #[error("a login is being checked; save the session once it is answered")]
    LoginPending,
    /// Frames wait for their answers, which come to this process.
    #[error("frames wait for their answers; save the session once they have them")]
    WorkPending,
    /// Publishes were gathered and not given to the hub: [`super::super::core::Core::end_pass`].
    #[error("a pass over the input is under way; save the session behind it")]
    PassOpen,
}

/// Why a session's state cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// Another version of the server wrote it.
    #[error("the saved session has version {found}, and this server reads version {expected}")]
    Version { found: u64, expected: u64 },
    /// The bytes are not a saved session.
    #[error("the bytes are no saved session: {0}")]
    Malformed(String),
    /// A value is one that no server writes.
    #[error("the saved session cannot be: {0}")]
    Impossible(&'static str),
    /// The session is of a listener with another dialect or framing.
    #[error("the saved session is of a listener of another kind")]
    OtherListener,
    /// The session has read more than the log has: the log is of another stream, or older.
    #[error("the saved session has read up to {read}, and the log ends at {head}")]
    AheadOfLog { read: Seq, head: Seq },
}

impl From<TimeOutOfRange> for RestoreError {
    fn from(_: TimeOutOfRange) -> Self {
        RestoreError::Impossible("a time or a rate is out of range")
    }
}

//! The counts of a session's calls, for the report.

use serde::{Deserialize, Serialize};

/// The calls to services that a session made, and those that it was to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct SessionCalls {
    /// The calls that it made.
    pub made: u64,
    /// Those of them that were answered with a reply.
    pub replied: u64,
    /// Those of them that ended in another way.
    pub failed: u64,
    /// The calls that it was sent.
    pub held: u64,
    /// Those of them that it answered while somebody waited for the answer.
    pub answered: u64,
}

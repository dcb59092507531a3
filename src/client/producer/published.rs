//! The answer to a message that is published once.

use crate::wire::Seq;

/// The answer to a message of a [`Producer`](crate::Producer): it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedOnce {
    /// The number of the message.
    pub n: u64,
    /// Its seq in the stream; `None` if the server no longer knows it.
    pub seq: Option<Seq>,
    /// Whether it had been published before: the answer to an earlier attempt was lost.
    pub repeated: bool,
}

//! The results of a scan.

use crate::wire::{Gap, Seq, ServerFrame, WireError};

/// A scanned frame.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ScannedFrame<'a> {
    /// A `message` with the next seq.
    Message {
        /// Its seq.
        seq: Seq,
        /// Its bytes with the prefix: all of them with
        /// [`whole_frames`](super::FrameScanner::whole_frames), otherwise at least its head.
        frame: &'a [u8],
    },
    /// A `joined` or a `left`, with the next seq.
    Presence(Seq),
    /// A `gap`: broadcasts that this session does not get.
    Gap(Gap),
    /// A `passed`: what the stream has up to this seq was not for this session.
    Passed(Seq),
    /// A `published`.
    Published {
        /// The id of the frame that it answers.
        id: u64,
        /// The message's seq.
        seq: Seq,
    },
    /// A `reply`.
    Reply {
        /// The id of the frame that it answers.
        id: u64,
    },
    /// Any other frame, decoded.
    Other(ServerFrame<'a>),
}

/// Why a stream cannot be scanned any further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The bytes are not a server frame.
    #[error(transparent)]
    Frame(#[from] WireError),
    /// A broadcast is missing or arrived twice, without a `gap`.
    #[error("a broadcast has the seq {found}, but {expected} must be next")]
    OutOfOrder {
        /// The seq after the last broadcast or gap.
        expected: Seq,
        /// The seq that arrived.
        found: Seq,
    },
}

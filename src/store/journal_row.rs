//! A row of the journal.

use bytes::Bytes;

use crate::topic::Routes;
use crate::wire::{Seq, cbor};

/// A row: consecutive frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// The first frame's seq.
    pub first: Seq,
    /// The last frame's seq.
    pub last: Seq,
    /// The frames in the cbor dialect, each with its length prefix.
    pub frames: Bytes,
    /// The routes of the frames.
    pub routes: Routes,
}

/// Returns the length in bytes of the first frame, its prefix included.
pub(super) fn frame_length(frames: &[u8]) -> Option<usize> {
    cbor::announced_length(frames).map(|length| length + cbor::PREFIX)
}

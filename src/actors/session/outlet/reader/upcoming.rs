//! The next thing at a reader's place.

use crate::log::{Frames, Slices};
use crate::wire::{Gap, Seq};

/// The approximate number of bytes that are read at once.
pub(super) const BATCH: usize = 256 * 1024;

/// The next thing that a reader finds.
pub(in crate::actors::session::outlet) enum Upcoming {
    /// Nothing yet; the task is woken.
    Nothing,
    /// The reader's place has changed: it is to be asked again.
    Moved,
    /// Nothing so far, and there is more to search: other sessions are to have their turn.
    Searched,
    Gap(Gap),
    Frames(Slices),
    /// Frames that the reader's filter selects.
    Selected(Frames),
    /// Nothing up to this seq was for the reader, and its client is to be told so.
    Passed(Seq),
    /// The journal cannot be read.
    Unreadable,
}

//! A reader's place where a filter selects what it gets.
//!
//! Such a reader has no cursor in the log. Its place is the last seq that its client was told of: by
//! a broadcast, a gap, or `passed`.

use std::sync::Arc;
use std::task::Waker;

use super::upcoming::{BATCH, Upcoming};
use crate::actors::session::core::hears::Hears;
use crate::log::{Log, Selected, Selection, Subscription};
use crate::wire::Seq;

/// The place of a reader with a filter.
#[derive(Debug)]
pub(super) struct SelectedPlace {
    subscription: Subscription,
    wants_presence: bool,
    /// The last seq that the client was told of.
    told: Seq,
    /// The filter holds for what is behind this seq.
    after: Seq,
}

impl SelectedPlace {
    /// Creates the place of a client that was `told` of what is up to one seq, and wants this of what
    /// is behind `after`. Nothing between the two is for it.
    pub(super) fn new(
        log: &Arc<Log>,
        shard: usize,
        (told, after): (Seq, Seq),
        wanted: Selection<'_>,
    ) -> SelectedPlace {
        SelectedPlace {
            subscription: Subscription::new(log, shard, after, wanted),
            wants_presence: wanted.presence,
            told,
            after,
        }
    }

    /// The last seq that the client was told of.
    pub(super) fn seq(&self) -> Seq {
        self.told
    }

    /// Notes a seq that the client is told of.
    pub(super) fn tell(&mut self, seq: Seq) {
        self.told = seq;
    }

    /// Returns what comes next. The client is told where the stream is once the reader has
    /// everything up to `until`.
    pub(super) fn next(&mut self, until: Option<Seq>, waker: &Waker) -> Upcoming {
        match self.subscription.read(BATCH, waker) {
            Selected::Frames(frames) => Upcoming::Selected(frames),
            Selected::Gap(gap) => Upcoming::Gap(gap),
            Selected::Nothing {
                until: searched,
                is_passed_due,
            } => {
                let is_last = until.is_some_and(|until| until <= searched);
                if searched > self.told && (is_passed_due || is_last) {
                    return Upcoming::Passed(searched);
                }
                Upcoming::Nothing
            }
        }
    }

    /// Returns what the session wants to hear.
    pub(super) fn hears(&self) -> Hears {
        Hears {
            filter: Some(self.subscription.filter()),
            presence: self.wants_presence,
            is_told: true,
        }
    }

    /// Returns the count of the stream's bytes before the first pending broadcast.
    pub(super) fn position(&self) -> u64 {
        self.subscription.position()
    }

    /// Returns a seq up to which the reader has everything, as far as that is known.
    pub(super) fn done_until(&self) -> Seq {
        let told = self.told.max(self.after);
        self.read_until().map_or(told, |seq| seq.max(told))
    }

    /// Returns the seq up to which the reader has everything; `None` if more is to be read.
    pub(super) fn read_until(&self) -> Option<Seq> {
        self.subscription.read_until()
    }
}

//! How fast a session may ask.
//!
//! Only what asks for something takes a token. What keeps a session alive, says how far
//! it has read, or ends it, is never throttled.

use std::time::{Duration, Instant};

use super::Session;
use super::serve::BATCH_FRAMES;
use super::state::{Member, State};
use crate::actors::link::Link;
use crate::wire::{ClientFrame, ServerFrame};

impl<L: Link + 'static> Session<L> {
    /// The id of a member's frame that takes a token; publishes take theirs where they
    /// gather.
    pub(super) fn asks(&self, frame: &ClientFrame<'_>) -> Option<u64> {
        match frame {
            ClientFrame::Request(_) | ClientFrame::Who(_) | ClientFrame::Sessions(_)
                if matches!(self.state, State::Ready(_)) =>
            {
                frame.id()
            }
            _ => None,
        }
    }

    /// Takes a token, or says when there will be one.
    pub(super) fn take_token(&mut self) -> Result<(), Duration> {
        match &mut self.bucket {
            None => Ok(()),
            Some(bucket) => bucket.take(Instant::now()),
        }
    }

    /// Answers a frame that came too fast. `false`: not now, it comes up again. Whoever
    /// cannot be told is not read from until there is a token.
    pub(super) fn throttle(&mut self, id: u64, wait: Duration) -> bool {
        if self.must_wait() {
            return false;
        }
        if matches!(self.state.member(), Some(Member::Nameless)) {
            self.inbox.is_held = true;
            return false;
        }
        self.count_answered();
        let error = ServerFrame::throttled(Some(id), "too many requests", wait);
        self.outlet.answer(&error);
        true
    }

    /// Publishes that go to the hub in one message, at most.
    pub(super) fn longest_run(&self) -> usize {
        BATCH_FRAMES.min(self.desk.limits.frames_in_work)
    }
}

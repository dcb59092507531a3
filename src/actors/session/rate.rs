//! How fast a session may ask.
//!
//! Only what asks for something takes a token. What keeps a session alive, says how far
//! it has read, or ends it, is never throttled.

use std::time::{Duration, Instant};

use super::Session;
use super::park::Hold;
use super::serve::BATCH_FRAMES;
use super::state::{Member, State};
use crate::actors::link::Link;
use crate::wire::{ClientFrame, ServerFrame};

impl<L: Link + 'static> Session<L> {
    /// Whether the frame takes a token: before the login each does, after it those that ask
    /// for something. Publishes take theirs where they gather.
    pub(super) fn takes_token(&self, frame: &ClientFrame<'_>) -> bool {
        match &self.state {
            State::Greeting => true,
            State::Ready(_) => matches!(
                frame,
                ClientFrame::Request(_)
                    | ClientFrame::Who(_)
                    | ClientFrame::Sessions(_)
                    | ClientFrame::Unserved(_)
            ),
            State::LoggingIn | State::Ending(_) | State::Closed { .. } => false,
        }
    }

    /// Takes a token, or says when there will be one.
    pub(super) fn take_token(&mut self) -> Result<(), Duration> {
        match &mut self.bucket {
            None => Ok(()),
            Some(bucket) => bucket.take(Instant::now()),
        }
    }

    /// Takes a token of the user for a list, which costs as much as there is to be listed: all
    /// sessions of the user share them.
    pub(super) fn take_list_token(&self, frame: &ClientFrame<'_>) -> Result<(), Duration> {
        let user = self.state.member().and_then(Member::user);
        match (frame, user) {
            (ClientFrame::Who(_) | ClientFrame::Sessions(_), Some(user)) => {
                self.listener.lists.take(user, Instant::now())
            }
            _ => Ok(()),
        }
    }

    /// Answers a frame that came too fast. `false`: not now, it comes up again. A client that
    /// cannot be told, and one that has not logged in, is not read from until there is a
    /// token.
    pub(super) fn throttle(&mut self, id: u64, wait: Duration) -> bool {
        if self.must_wait() {
            return false;
        }
        if !matches!(self.state.member(), Some(Member::User { .. })) {
            self.inbox.hold = Some(Hold::for_the_next(wait));
            return false;
        }
        self.count_answered();
        let error = ServerFrame::throttled(Some(id), "too many requests", wait);
        self.outlet.answer(&error);
        true
    }

    /// Publishes that go to the hub in one message, at most.
    pub(super) fn longest_run(&self) -> usize {
        BATCH_FRAMES.min(self.listener.limits.frames_in_work)
    }
}

//! Rates: the frames that take a token, and what a client that is too fast is told.

use std::time::{Duration, Instant};

use super::effects::Effects;
use super::state::{Member, State};
use super::{Core, Served};
use crate::wire::{ClientFrame, ServerFrame};

impl Core {
    /// Whether the frame takes a token: before the login each does, after it those that ask
    /// for something. Frames that keep a session alive, acknowledge broadcasts, or end the session
    /// are never throttled. Publishes take their tokens where they are gathered.
    pub(super) fn takes_token(&self, frame: &ClientFrame<'_>) -> bool {
        match &self.state {
            State::Greeting => true,
            State::Ready(_) => matches!(
                frame,
                ClientFrame::Request(_)
                    | ClientFrame::Who(_)
                    | ClientFrame::Sessions(_)
                    | ClientFrame::Topics(_)
                    | ClientFrame::Cursors(_)
                    | ClientFrame::RemoveCursor(_)
                    | ClientFrame::Subscribe(_)
                    | ClientFrame::Offer(_)
                    | ClientFrame::Withdraw(_)
                    | ClientFrame::Services(_)
                    | ClientFrame::Unserved(_)
            ),
            State::LoggingIn { .. } | State::Ending(_) | State::Closed(_) => false,
        }
    }

    /// Takes a token, or returns when there will be one.
    pub(super) fn take_token(&mut self, now: Instant) -> Result<(), Duration> {
        match &mut self.bucket {
            None => Ok(()),
            Some(bucket) => bucket.take(now),
        }
    }

    /// Takes a token of the user for a list, which costs as much as there is to be listed: all
    /// sessions of the user share them.
    pub(super) fn take_list_token<E: Effects>(
        &self,
        frame: &ClientFrame<'_>,
        fx: &mut E,
    ) -> Result<(), Duration> {
        match (frame, self.state.member().and_then(Member::user)) {
            (
                ClientFrame::Who(_)
                | ClientFrame::Sessions(_)
                | ClientFrame::Topics(_)
                | ClientFrame::Cursors(_)
                | ClientFrame::Services(_),
                Some(user),
            ) => fx.may_list(user),
            _ => Ok(()),
        }
    }

    /// Answers a frame that came too fast. A client that cannot be told, and one that has not
    /// logged in, is not read from until there is a token.
    pub(super) fn throttle<E: Effects>(
        &mut self,
        id: u64,
        is_counted: bool,
        wait: Duration,
        now: Instant,
        fx: &mut E,
    ) -> Served {
        if self.must_wait() {
            return Served::Later;
        }
        if !matches!(self.state.member(), Some(Member::User(_))) {
            self.timers.hold(now + wait);
            return Served::Later;
        }
        if is_counted {
            self.count_answered(fx);
        }
        fx.answer(&ServerFrame::throttled(Some(id), "too many requests", wait));
        Served::Done
    }
}

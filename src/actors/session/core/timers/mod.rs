//! The moments at which a session must look again, and what the client must send in time.
//!
//! The core never waits. It says when it wants to be called ([`Timers::next`]); a timer that
//! fires only has the shell read all the input there is and then call `Core::tick`, which
//! judges. So a timer that fires late makes no client late ([`InputDeadline`]).

#[cfg(any(test, fuzzing))]
pub(super) mod saved;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::deadline::{InputDeadline, Verdict};

/// How often to look whether the client has gone, and whether a login in work is done, where no
/// event tells it.
pub(super) const LOOK: Duration = Duration::from_millis(250);

/// The first and the longest wait before the session asks whether the client has read
/// everything: no event tells that either.
const FIRST_READ_LOOK: Duration = Duration::from_millis(1);
pub(super) const LAST_READ_LOOK: Duration = Duration::from_millis(50);

/// Returns the wait behind `last`, which grows up to a bound.
pub(super) fn next_read_look(last: Option<Duration>) -> Duration {
    last.map_or(FIRST_READ_LOOK, |last| (last * 2).min(LAST_READ_LOOK))
}

/// The event that a session's deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) enum WaitsFor {
    Login,
    Frame,
    /// That the client reads to the end and closes.
    End {
        /// Whether it also holds while the supervisor leads the ending.
        holds_if_ordered: bool,
    },
}

/// A session's deadline, of which it has one at a time, and its looks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Timers {
    deadline: Option<(WaitsFor, InputDeadline)>,
    /// When the deadline is judged. It may be due later, as it begins again with each frame.
    judge_at: Option<Instant>,
    /// The first frame of the input is not served before this moment.
    hold: Option<Instant>,
    /// Asks again whether the client has read everything.
    read_look: Option<Instant>,
    /// Asks again whether the client is still there.
    presence_look: Option<Instant>,
}

impl Timers {
    /// Returns when the session must be called at the latest.
    pub(super) fn next(&self) -> Option<Instant> {
        let looks = [self.judge_at, self.hold, self.read_look, self.presence_look];
        looks.into_iter().flatten().min()
    }

    /// Begins to wait for an event, no longer than `limit`.
    pub(super) fn wait_for(&mut self, event: WaitsFor, limit: Duration, now: Instant) {
        let deadline = InputDeadline::new(limit, now);
        self.judge_at = Some(now + deadline.left(now));
        self.deadline = Some((event, deadline));
    }

    pub(super) fn stop_waiting(&mut self) {
        self.deadline = None;
        self.judge_at = None;
    }

    /// Begins the time for a frame again: one has come or been served, or the client has taken
    /// some of the answers that keep its next frames from being read.
    pub(super) fn note_input(&mut self, now: Instant) {
        if let Some((WaitsFor::Frame, deadline)) = &mut self.deadline {
            deadline.restart(now);
        }
    }

    /// Has a login deadline judged that passed while a login was in work.
    pub(super) fn judge_login(&mut self, now: Instant) {
        if let Some((WaitsFor::Login, deadline)) = &self.deadline
            && deadline.left(now).is_zero()
        {
            self.judge_at = Some(now);
        }
    }

    /// Whether the deadline is to be judged now, and for what it is.
    pub(super) fn due(&mut self, now: Instant) -> Option<WaitsFor> {
        if self.judge_at.is_none_or(|at| at > now) {
            return None;
        }
        self.judge_at = None;
        self.deadline.as_ref().map(|(event, _)| *event)
    }

    /// Judges the deadline. Returns whether it has expired; otherwise it is judged again later.
    pub(super) fn judge(&mut self, now: Instant, is_unread: bool) -> bool {
        let Some((_, deadline)) = &mut self.deadline else {
            return false;
        };
        match deadline.judge(now, is_unread) {
            Verdict::Wait(wait) => {
                self.judge_at = Some(now + wait);
                false
            }
            Verdict::Expired => {
                self.stop_waiting();
                true
            }
        }
    }

    /// Begins the deadline's time again: the session waits for the server, so it is not idle.
    pub(super) fn restart(&mut self, now: Instant) {
        if let Some((_, deadline)) = &mut self.deadline {
            deadline.restart(now);
            self.judge_at = Some(now + deadline.left(now));
        }
    }

    /// Judges the deadline a little later.
    pub(super) fn judge_later(&mut self, now: Instant) {
        self.judge_at = Some(now + LOOK);
    }

    /// Serves the first frame of the input not before `until`.
    pub(super) fn hold(&mut self, until: Instant) {
        self.hold = Some(until);
    }

    /// Lets the first frame be tried again.
    pub(super) fn release(&mut self) {
        self.hold = None;
    }

    pub(super) fn is_held(&self) -> bool {
        self.hold.is_some()
    }

    /// Asks at `at` whether the client has read everything, unless that is planned already.
    /// Returns whether it was not.
    pub(super) fn look_whether_read(&mut self, at: Instant) -> bool {
        let is_new = self.read_look.is_none();
        self.read_look.get_or_insert(at);
        is_new
    }

    /// Asks again later whether the client is still there.
    pub(super) fn look_whether_present(&mut self, now: Instant) {
        self.presence_look.get_or_insert(now + LOOK);
    }

    /// Ends the hold and the looks whose moment has come.
    pub(super) fn pass(&mut self, now: Instant) -> Passed {
        let passed = |at: &mut Option<Instant>| at.take_if(|at| *at <= now).is_some();
        Passed {
            hold: passed(&mut self.hold),
            read_look: passed(&mut self.read_look),
            presence_look: passed(&mut self.presence_look),
        }
    }
}

/// The moments that have passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) hold: bool,
    pub(super) read_look: bool,
    pub(super) presence_look: bool,
}

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
    /// Boxed, as an idle session without an idle timeout waits for nothing.
    wait: Option<Box<Wait>>,
    /// Boxed, as few sessions look again at any moment.
    looks: Option<Box<Looks>>,
}

/// An event that must come in time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Wait {
    event: WaitsFor,
    deadline: InputDeadline,
    /// When the deadline is judged. It may be due later, as it begins again with each frame.
    judge_at: Option<Instant>,
}

/// The moments at which a session looks again that are no deadline.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Looks {
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
        let looks = self.looks.as_deref();
        let looks = looks.map(|looks| [looks.hold, looks.read_look, looks.presence_look]);
        let judge_at = self.wait.as_deref().and_then(|wait| wait.judge_at);
        let moments = looks.into_iter().flatten().chain([judge_at]);
        moments.flatten().min()
    }

    /// Begins to wait for an event, no longer than `limit`.
    pub(super) fn wait_for(&mut self, event: WaitsFor, limit: Duration, now: Instant) {
        let deadline = InputDeadline::new(limit, now);
        self.wait = Some(Box::new(Wait {
            event,
            deadline,
            judge_at: Some(now + deadline.left(now)),
        }));
    }

    pub(super) fn stop_waiting(&mut self) {
        self.wait = None;
    }

    /// Begins the time for a frame again: one has come or been served, or the client has taken
    /// some of the answers that keep its next frames from being read.
    pub(super) fn note_input(&mut self, now: Instant) {
        if let Some(wait) = &mut self.wait
            && wait.event == WaitsFor::Frame
        {
            wait.deadline.restart(now);
        }
    }

    /// Has a login deadline judged that passed while a login was in work.
    pub(super) fn judge_login(&mut self, now: Instant) {
        if let Some(wait) = &mut self.wait
            && wait.event == WaitsFor::Login
            && wait.deadline.left(now).is_zero()
        {
            wait.judge_at = Some(now);
        }
    }

    /// Whether the deadline is to be judged now, and for what it is.
    pub(super) fn due(&mut self, now: Instant) -> Option<WaitsFor> {
        let wait = self.wait.as_mut()?;
        wait.judge_at.take_if(|at| *at <= now)?;
        Some(wait.event)
    }

    /// Judges the deadline. Returns whether it has expired; otherwise it is judged again later.
    pub(super) fn judge(&mut self, now: Instant, is_unread: bool) -> bool {
        let Some(wait) = &mut self.wait else {
            return false;
        };
        match wait.deadline.judge(now, is_unread) {
            Verdict::Wait(left) => {
                wait.judge_at = Some(now + left);
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
        if let Some(wait) = &mut self.wait {
            wait.deadline.restart(now);
            wait.judge_at = Some(now + wait.deadline.left(now));
        }
    }

    /// Judges the deadline a little later.
    pub(super) fn judge_later(&mut self, now: Instant) {
        if let Some(wait) = &mut self.wait {
            wait.judge_at = Some(now + LOOK);
        }
    }

    /// Serves the first frame of the input not before `until`.
    pub(super) fn hold(&mut self, until: Instant) {
        self.looks.get_or_insert_default().hold = Some(until);
    }

    /// Lets the first frame be tried again.
    pub(super) fn release(&mut self) {
        if let Some(looks) = &mut self.looks {
            looks.hold = None;
        }
        self.release_looks();
    }

    pub(super) fn is_held(&self) -> bool {
        self.looks
            .as_ref()
            .is_some_and(|looks| looks.hold.is_some())
    }

    /// Asks at `at` whether the client has read everything, unless that is planned already.
    /// Returns whether it was not.
    pub(super) fn look_whether_read(&mut self, at: Instant) -> bool {
        let looks = self.looks.get_or_insert_default();
        let is_new = looks.read_look.is_none();
        looks.read_look.get_or_insert(at);
        is_new
    }

    /// Asks again later whether the client is still there.
    pub(super) fn look_whether_present(&mut self, now: Instant) {
        let looks = self.looks.get_or_insert_default();
        looks.presence_look.get_or_insert(now + LOOK);
    }

    /// Ends the hold and the looks whose moment has come.
    pub(super) fn pass(&mut self, now: Instant) -> Passed {
        let Some(looks) = &mut self.looks else {
            return Passed::default();
        };
        let passed = |at: &mut Option<Instant>| at.take_if(|at| *at <= now).is_some();
        let passed = Passed {
            hold: passed(&mut looks.hold),
            read_look: passed(&mut looks.read_look),
            presence_look: passed(&mut looks.presence_look),
        };
        self.release_looks();
        passed
    }

    /// Frees the memory of the looks once there is none.
    fn release_looks(&mut self) {
        self.looks.take_if(|looks| **looks == Looks::default());
    }
}

/// The moments that have passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Passed {
    pub(super) hold: bool,
    pub(super) read_look: bool,
    pub(super) presence_look: bool,
}

//! The end of a session: how far it has come, and who leads it.

#[cfg(any(test, fuzzing))]
pub(super) mod saved;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::member::Member;
use crate::close::CloseReason;
use crate::wire::{ErrorCode, Seq};

/// The end of a session, from the last admitted frame to the close.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::actors::session::core) struct Ending {
    /// The client, until the hub knows that the session is over.
    member: Option<Member>,
    reason: CloseReason,
    step: Step,
    /// Whether the server failed the session while it stopped: then it is owed what all others
    /// get.
    has_failed_in_stop: bool,
    /// Whether the supervisor leads.
    is_ordered: bool,
    /// Whether the supervisor has given the order to close.
    may_linger: bool,
    /// When a client that has read everything and does not close is not waited for any more.
    linger_until: Option<Instant>,
    /// Whether the ending has a deadline of its own.
    has_deadline: bool,
    /// The last wait before the session asked whether the client has read everything.
    last_look: Option<Duration>,
}

/// How far an ending has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(in crate::actors::session::core) enum Step {
    /// Frames are refused, broadcasts go on.
    Refusing,
    /// The broadcasts up to this one are written.
    ToCut(Seq),
    /// `closing` is queued, then written, then known to be read.
    Closing,
    /// The write side is shut, and the input is read to its end.
    Lingering,
}

impl Ending {
    pub(in crate::actors::session::core) fn new(reason: CloseReason, step: Step) -> Ending {
        Ending {
            member: None,
            reason,
            step,
            has_failed_in_stop: false,
            is_ordered: false,
            may_linger: false,
            linger_until: None,
            has_deadline: false,
            last_look: None,
        }
    }

    /// The ending that a shutdown begins, which the supervisor leads.
    pub(in crate::actors::session::core) fn ordered(step: Step) -> Ending {
        Ending {
            is_ordered: true,
            ..Ending::new(CloseReason::Shutdown, step)
        }
    }

    /// Ends the session as failed by the server, unless the client's own error ends it already.
    pub(in crate::actors::session::core) fn fail(&mut self, is_stopping: bool) {
        if !matches!(self.reason, CloseReason::Error(_)) {
            self.reason = CloseReason::Error(ErrorCode::Internal);
            self.has_failed_in_stop = is_stopping;
        }
    }

    /// Notes that the server failed the session, if that is the reason, while it stopped.
    pub(in crate::actors::session::core) fn in_stop(mut self, is_stopping: bool) -> Ending {
        let is_ours = self.reason == CloseReason::Error(ErrorCode::Internal);
        self.has_failed_in_stop = is_ours && is_stopping;
        self
    }

    /// Returns this ending for a session of this client. A session that the supervisor led
    /// before is still led by it.
    pub(super) fn of(mut self, member: Option<Member>, was_ordered: bool) -> Ending {
        self.member = member;
        self.is_ordered |= was_ordered;
        self
    }

    /// Returns the client, until it is taken.
    pub(super) fn member(&self) -> Option<&Member> {
        self.member.as_ref()
    }

    pub(super) fn take_member(&mut self) -> Option<Member> {
        self.member.take()
    }

    pub(in crate::actors::session::core) fn reason(&self) -> CloseReason {
        self.reason
    }

    pub(in crate::actors::session::core) fn step(&self) -> Step {
        self.step
    }

    /// Whether the supervisor leads.
    pub(in crate::actors::session::core) fn is_ordered(&self) -> bool {
        self.is_ordered
    }

    /// Whether the supervisor has given the order to close.
    pub(in crate::actors::session::core) fn may_linger(&self) -> bool {
        self.may_linger
    }

    pub(super) fn has_failed_in_stop(&self) -> bool {
        self.has_failed_in_stop
    }

    pub(in crate::actors::session::core) fn advance_to(&mut self, step: Step) {
        self.step = step;
    }

    /// Follows the supervisor's order to drain up to `cut`. A session that ends by itself first
    /// proves that everything has been read.
    pub(in crate::actors::session::core) fn drain(&mut self, cut: Seq) {
        if self.step == Step::Refusing {
            self.step = Step::ToCut(cut);
        } else {
            self.is_ordered = true;
            self.step = self.step.min(Step::Closing);
        }
    }

    /// Follows the supervisor's order to close. A client that has read everything and does not
    /// close is waited for until `linger_until`.
    pub(in crate::actors::session::core) fn close(&mut self, linger_until: Instant) {
        self.is_ordered = true;
        self.may_linger = true;
        self.linger_until = Some(linger_until);
    }

    /// Moves to [`Step::Closing`], and takes the client out.
    pub(in crate::actors::session::core) fn begin_closing(&mut self) -> Option<Member> {
        self.step = Step::Closing;
        self.member.take()
    }

    /// Returns whether the ending needs a deadline of its own, and has got none so far. It is
    /// taken to have one afterwards.
    pub(in crate::actors::session::core) fn takes_deadline(&mut self) -> bool {
        let is_needed = !(self.has_deadline || self.is_ordered);
        self.has_deadline |= is_needed;
        is_needed
    }

    pub(in crate::actors::session::core) fn linger_until(&self) -> Option<Instant> {
        self.linger_until
    }

    /// Returns whether the time to linger has passed; once.
    pub(in crate::actors::session::core) fn takes_linger_end(&mut self, now: Instant) -> bool {
        let has_passed = self.linger_until.is_some_and(|until| until <= now);
        if has_passed {
            self.linger_until = None;
        }
        has_passed
    }

    /// Returns the last wait before the session asked whether the client has read everything.
    pub(in crate::actors::session::core) fn last_look(&self) -> Option<Duration> {
        self.last_look
    }

    pub(in crate::actors::session::core) fn note_look(&mut self, wait: Duration) {
        self.last_look = Some(wait);
    }

    pub(super) fn refuses_frames(&self) -> bool {
        self.reason == CloseReason::Shutdown && self.is_ordered && self.step < Step::Closing
    }
}

//! The state of a session, and what it is owed at its end.
//!
//! A session moves downwards only: `Greeting`, `LoggingIn`, `Ready`, `Ending`, `Closed`. The
//! one exception is a login that fails, which leads back to `Greeting`.

#[cfg(any(test, fuzzing))]
pub(super) mod saved;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::accounts::UserName;
use crate::close::CloseReason;
use crate::wire::{ErrorCode, Seq};

/// The state of a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// Connected, and not logged in.
    Greeting,
    /// A login is in work.
    LoggingIn {
        /// Whether the client has gone meanwhile.
        is_abandoned: bool,
    },
    /// Logged in, or on an endpoint where no client has to.
    Ready(Member),
    /// No frame is admitted any more.
    Ending(Ending),
    /// Nothing is read or written any more.
    Closed {
        /// The user, until the hub knows that the session is over.
        member: Option<Member>,
        reason: CloseReason,
        owed: Owed,
    },
}

/// The broadcasts that a session has still to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Owed {
    /// None.
    Nothing,
    /// Those up to this one, the log's head when the session ended by itself.
    UpTo(Seq),
    /// All that the log holds when it is sealed.
    UpToHead,
}

/// The client of a session whose frames are admitted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Member {
    /// A user that has logged in.
    User(UserName),
    /// A program of the raw dialect, which has no name.
    Nameless,
}

impl Member {
    pub(super) fn user(&self) -> Option<&UserName> {
        match self {
            Member::User(user) => Some(user),
            Member::Nameless => None,
        }
    }
}

impl State {
    /// Returns the client, from the login, where there is one, to the end.
    pub(super) fn member(&self) -> Option<&Member> {
        match self {
            State::Greeting | State::LoggingIn { .. } => None,
            State::Ready(member) => Some(member),
            State::Ending(ending) => ending.member.as_ref(),
            State::Closed { member, .. } => member.as_ref(),
        }
    }

    /// Takes the client out, for the next state.
    pub(super) fn take_member(&mut self) -> Option<Member> {
        match std::mem::replace(self, State::Greeting) {
            State::Greeting | State::LoggingIn { .. } => None,
            State::Ready(member) => Some(member),
            State::Ending(ending) => ending.member,
            State::Closed { member, .. } => member,
        }
    }

    pub(super) fn ending(&self) -> Option<&Ending> {
        match self {
            State::Ending(ending) => Some(ending),
            _ => None,
        }
    }

    pub(super) fn ending_mut(&mut self) -> Option<&mut Ending> {
        match self {
            State::Ending(ending) => Some(ending),
            _ => None,
        }
    }

    /// Whether frames are served: before the login or after it, and not at the end.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, State::Greeting | State::Ready(_))
    }

    pub(super) fn is_ready(&self) -> bool {
        matches!(self, State::Ready(_))
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self, State::Closed { .. })
    }

    /// Whether the session takes no frame any more.
    pub(super) fn is_cut(&self) -> bool {
        matches!(self, State::Ending(_) | State::Closed { .. })
    }

    /// Whether `closing` is queued: nothing may follow it.
    pub(super) fn has_said_closing(&self) -> bool {
        match self {
            State::Ending(ending) => ending.step >= Step::Closing,
            State::Closed { .. } => true,
            _ => false,
        }
    }

    /// Whether a frame that arrives now is answered with a refusal.
    pub(super) fn refuses_frames(&self) -> bool {
        self.ending().is_some_and(Ending::refuses_frames)
    }

    /// Begins the end. A session that ends with an error during a shutdown is still led by the
    /// supervisor.
    pub(super) fn begin_ending(&mut self, mut ending: Ending) {
        ending.is_ordered |= self.ending().is_some_and(|earlier| earlier.is_ordered);
        ending.member = self.take_member();
        *self = State::Ending(ending);
    }

    /// Closes the session. Returns `false` where it was closed before.
    pub(super) fn close(&mut self, reason: CloseReason) -> bool {
        let (reason, owed) = match self {
            State::Closed { .. } => return false,
            // The client broke the connection, so that it is owed nothing.
            _ if reason == CloseReason::Lost => (reason, Owed::Nothing),
            State::Ending(ending) if reason == CloseReason::Shutdown => {
                (ending.reason, ending.owed())
            }
            State::Ending(ending) => (reason, ending.owed()),
            _ if reason == CloseReason::Shutdown => (reason, Owed::UpToHead),
            _ => (reason, Owed::Nothing),
        };
        let member = self.take_member();
        *self = State::Closed {
            member,
            reason,
            owed,
        };
        true
    }

    /// Returns the reason of the end, and what is owed, if the session ended now.
    pub(super) fn outcome(&self) -> (CloseReason, Owed) {
        match self {
            State::Closed { reason, owed, .. } => (*reason, *owed),
            State::Ending(ending) => (ending.reason, ending.owed()),
            _ => (CloseReason::Shutdown, Owed::UpToHead),
        }
    }
}

/// The end of a session, from the last admitted frame to the close.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Ending {
    /// The client, until the hub knows that the session is over.
    pub(super) member: Option<Member>,
    pub(super) reason: CloseReason,
    pub(super) step: Step,
    /// Whether the server failed the session while it stopped: then it is owed what all others
    /// get.
    has_failed_in_stop: bool,
    /// Whether the supervisor leads.
    pub(super) is_ordered: bool,
    /// Whether the supervisor has given the order to close.
    pub(super) may_linger: bool,
    /// When a client that has read everything and does not close is not waited for any more.
    pub(super) linger_until: Option<Instant>,
    /// Whether the ending has a deadline of its own.
    pub(super) has_deadline: bool,
    /// The last wait before the session asked whether the client has read everything.
    pub(super) last_look: Option<Duration>,
}

/// How far an ending has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Step {
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
    pub(super) fn new(reason: CloseReason, step: Step) -> Ending {
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
    pub(super) fn ordered(step: Step) -> Ending {
        Ending {
            is_ordered: true,
            ..Ending::new(CloseReason::Shutdown, step)
        }
    }

    /// Ends the session as failed by the server, unless the client's own error ends it already.
    pub(super) fn fail(&mut self, is_stopping: bool) {
        if !matches!(self.reason, CloseReason::Error(_)) {
            self.reason = CloseReason::Error(ErrorCode::Internal);
            self.has_failed_in_stop = is_stopping;
        }
    }

    /// Notes that the server failed the session, if that is the reason, while it stopped.
    pub(super) fn in_stop(mut self, is_stopping: bool) -> Ending {
        let is_ours = self.reason == CloseReason::Error(ErrorCode::Internal);
        self.has_failed_in_stop = is_ours && is_stopping;
        self
    }

    fn refuses_frames(&self) -> bool {
        self.reason == CloseReason::Shutdown && self.is_ordered && self.step < Step::Closing
    }

    fn owed(&self) -> Owed {
        match (self.reason, self.step) {
            (CloseReason::Shutdown, _) => Owed::UpToHead,
            _ if self.has_failed_in_stop => Owed::UpToHead,
            (_, Step::ToCut(cut)) => Owed::UpTo(cut),
            (_, Step::Refusing | Step::Closing | Step::Lingering) => Owed::Nothing,
        }
    }
}

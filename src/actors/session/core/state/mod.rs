//! The state of a session, and what it is owed at its end.
//!
//! A session moves downwards only: `Greeting`, `LoggingIn`, `Ready`, `Ending`, `Closed`. The
//! one exception is a login that fails, which leads back to `Greeting`.

mod ending;
mod member;
#[cfg(any(test, fuzzing))]
pub(super) mod saved;

use serde::{Deserialize, Serialize};

pub(super) use self::ending::{Ending, Step};
pub(super) use self::member::Member;
use crate::close::CloseReason;
use crate::wire::Seq;

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
    Ending(Box<Ending>),
    /// Nothing is read or written any more.
    Closed(Box<Closed>),
}

/// The end of a session. It is boxed as the ending is: most sessions are in neither state, and hold
/// memory for neither.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Closed {
    /// The user, until the hub knows that the session is over.
    member: Option<Member>,
    reason: CloseReason,
    owed: Owed,
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

impl State {
    /// Returns the client, from the login, where there is one, to the end.
    pub(super) fn member(&self) -> Option<&Member> {
        match self {
            State::Greeting | State::LoggingIn { .. } => None,
            State::Ready(member) => Some(member),
            State::Ending(ending) => ending.member(),
            State::Closed(closed) => closed.member.as_ref(),
        }
    }

    /// Takes the client out, for the next state.
    pub(super) fn take_member(&mut self) -> Option<Member> {
        match std::mem::replace(self, State::Greeting) {
            State::Greeting | State::LoggingIn { .. } => None,
            State::Ready(member) => Some(member),
            State::Ending(mut ending) => ending.take_member(),
            State::Closed(closed) => closed.member,
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
        matches!(self, State::Closed(_))
    }

    /// Whether the session takes no frame any more.
    pub(super) fn is_cut(&self) -> bool {
        matches!(self, State::Ending(_) | State::Closed(_))
    }

    /// Whether `closing` is queued: nothing may follow it.
    pub(super) fn has_said_closing(&self) -> bool {
        match self {
            State::Ending(ending) => ending.step() >= Step::Closing,
            State::Closed(_) => true,
            _ => false,
        }
    }

    /// Whether a frame that arrives now is answered with a refusal.
    pub(super) fn refuses_frames(&self) -> bool {
        self.ending().is_some_and(Ending::refuses_frames)
    }

    /// Begins the end. A session that ends with an error during a shutdown is still led by the
    /// supervisor.
    pub(super) fn begin_ending(&mut self, ending: Ending) {
        let was_ordered = self.ending().is_some_and(Ending::is_ordered);
        let member = self.take_member();
        *self = State::Ending(Box::new(ending.of(member, was_ordered)));
    }

    /// Closes the session. Returns `false` where it was closed before.
    pub(super) fn close(&mut self, reason: CloseReason) -> bool {
        let (reason, owed) = match self {
            State::Closed(_) => return false,
            // The client broke the connection, so that it is owed nothing.
            _ if reason == CloseReason::Lost => (reason, Owed::Nothing),
            State::Ending(ending) if reason == CloseReason::Shutdown => {
                (ending.reason(), owed(ending))
            }
            State::Ending(ending) => (reason, owed(ending)),
            _ if reason == CloseReason::Shutdown => (reason, Owed::UpToHead),
            _ => (reason, Owed::Nothing),
        };
        let member = self.take_member();
        *self = State::Closed(Box::new(Closed {
            member,
            reason,
            owed,
        }));
        true
    }

    /// Returns the reason of the end, and what is owed, if the session ended now.
    pub(super) fn outcome(&self) -> (CloseReason, Owed) {
        match self {
            State::Closed(closed) => (closed.reason, closed.owed),
            State::Ending(ending) => (ending.reason(), owed(ending)),
            _ => (CloseReason::Shutdown, Owed::UpToHead),
        }
    }
}

/// Returns the broadcasts that a session with this ending is owed.
fn owed(ending: &Ending) -> Owed {
    match (ending.reason(), ending.step()) {
        (CloseReason::Shutdown, _) => Owed::UpToHead,
        _ if ending.has_failed_in_stop() => Owed::UpToHead,
        (_, Step::ToCut(cut)) => Owed::UpTo(cut),
        (_, Step::Refusing | Step::Closing | Step::Lingering) => Owed::Nothing,
    }
}

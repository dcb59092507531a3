//! Where a session is.

use super::ending::Ending;
use crate::accounts::{Standing, UserName};
use crate::close::CloseReason;
use crate::wire::{Role, Seq};

/// A session's state. It only ever moves downwards, but for a login that fails.
#[derive(Debug)]
pub(super) enum State {
    /// Connected; nobody yet.
    Greeting,
    /// A login is in work.
    LoggingIn,
    /// Logged in, or where nobody has to be.
    Ready(Member),
    /// No frame is admitted any more.
    Ending(Ending),
    /// Nothing is read or written any more.
    Closed {
        /// Who it was, until the hub knows that the session is over.
        member: Option<Member>,
        reason: CloseReason,
        /// What it had still to get.
        owed: Owed,
    },
}

/// The broadcasts that a session has still to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owed {
    /// What it has got is all.
    Nothing,
    /// Those up to this one, which was the log's head when it ended by itself.
    UpTo(Seq),
    /// All that there are when the log is sealed.
    UpToHead,
}

/// Who a session is.
#[derive(Debug, Clone)]
pub(super) enum Member {
    /// Somebody who has logged in.
    User { user: UserName, standing: Standing },
    /// A program of the raw dialect, which has no name.
    Nameless,
}

impl Member {
    pub(super) fn user(&self) -> Option<&UserName> {
        match self {
            Member::User { user, .. } => Some(user),
            Member::Nameless => None,
        }
    }

    /// The account's role now.
    pub(super) fn role(&self) -> Option<Role> {
        match self {
            Member::User { standing, .. } => Some(standing.role()),
            Member::Nameless => None,
        }
    }
}

impl State {
    /// Who it is, from the login, where there is one, to the end.
    pub(super) fn member(&self) -> Option<&Member> {
        match self {
            State::Greeting | State::LoggingIn => None,
            State::Ready(member) => Some(member),
            State::Ending(ending) => ending.member.as_ref(),
            State::Closed { member, .. } => member.as_ref(),
        }
    }

    /// Takes the member out, for whoever comes next.
    pub(super) fn take_member(&mut self) -> Option<Member> {
        match std::mem::replace(self, State::Greeting) {
            State::Greeting | State::LoggingIn => None,
            State::Ready(member) => Some(member),
            State::Ending(ending) => ending.member,
            State::Closed { member, .. } => member,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self, State::Closed { .. })
    }
}

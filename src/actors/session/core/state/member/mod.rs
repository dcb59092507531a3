//! The client of a session.

#[cfg(any(test, fuzzing))]
pub(super) mod saved;

use crate::accounts::UserName;

/// The client of a session whose frames are admitted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::actors::session::core) enum Member {
    /// A user that has logged in.
    User(UserName),
    /// A program of the raw dialect, which has no name.
    Nameless,
}

impl Member {
    pub(in crate::actors::session::core) fn user(&self) -> Option<&UserName> {
        match self {
            Member::User(user) => Some(user),
            Member::Nameless => None,
        }
    }
}

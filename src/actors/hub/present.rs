//! Who is present.

use std::collections::BTreeMap;

use crate::accounts::UserName;

/// The users who have a session, in the order of their names.
#[derive(Debug, Default)]
pub(super) struct Present {
    users: BTreeMap<UserName, Sessions>,
}

#[derive(Debug, Default)]
struct Sessions {
    count: usize,
    /// Whether the others can know: `joined` has been shown.
    is_announced: bool,
}

impl Present {
    /// One more session. Whether the user's `joined` is still to be made.
    pub(super) fn enter(&mut self, user: &UserName) -> bool {
        let sessions = self.users.entry(user.clone()).or_default();
        sessions.count += 1;
        sessions.count == 1
    }

    /// One session fewer. Whether it was the user's last.
    pub(super) fn leave(&mut self, user: &UserName) -> bool {
        let Some(sessions) = self.users.get_mut(user) else {
            return false;
        };
        sessions.count -= 1;
        let was_last = sessions.count == 0;
        if was_last {
            self.users.remove(user);
        }
        was_last
    }

    /// The user's `joined` has been shown.
    pub(super) fn announce(&mut self, user: &UserName) {
        if let Some(sessions) = self.users.get_mut(user) {
            sessions.is_announced = true;
        }
    }

    /// Whether the others can know of the user.
    pub(super) fn is_announced(&self, user: &UserName) -> bool {
        self.users
            .get(user)
            .is_some_and(|sessions| sessions.is_announced)
    }

    /// The users whom the others can know of.
    pub(super) fn announced(&self) -> Vec<UserName> {
        let announced = self.users.iter().filter(|(_, of)| of.is_announced);
        announced.map(|(user, _)| user.clone()).collect()
    }
}

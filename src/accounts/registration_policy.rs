//! Which names register, and as what.

use parking_lot::RwLock;

use super::LoginLimits;
use crate::wire::Role;

/// How many accounts there may be, and the role of new ones. Both can change.
#[derive(Debug)]
pub(super) struct RegistrationPolicy(RwLock<Values>);

#[derive(Debug)]
struct Values {
    most: usize,
    role: Role,
}

impl Values {
    fn of(limits: &LoginLimits) -> Values {
        Values {
            most: limits.accounts,
            role: limits.default_role,
        }
    }
}

impl RegistrationPolicy {
    /// Returns the policy of these limits.
    pub(super) fn new(limits: &LoginLimits) -> RegistrationPolicy {
        RegistrationPolicy(RwLock::new(Values::of(limits)))
    }

    /// Changes the policy. Accounts that are there stay.
    pub(super) fn set(&self, limits: &LoginLimits) {
        *self.0.write() = Values::of(limits);
    }

    /// Whether one more account may be registered beside this number of them.
    pub(super) fn has_room(&self, accounts: usize) -> bool {
        accounts < self.0.read().most
    }

    /// Returns the role of new accounts.
    pub(super) fn role(&self) -> Role {
        self.0.read().role
    }
}

//! The current authorization of the sessions of an account.
//!
//! A login's answer may become outdated: another process may remove the account, or change its
//! role, its password or the rules for it. So a session holds an [`Authorization`] instead of a copy
//! of its role and rules, and asks it at each decision. Each reading of the accounts updates the
//! [`AccountState`] behind it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use super::UserName;
use super::rules::LivePermissions;
use crate::topic::{Permissions, RuleKind};
use crate::wire::Role;

/// The live state of one account, shared by the table and the account's sessions.
#[derive(Debug)]
pub(super) struct AccountState {
    role: AtomicU8,
    /// How often the password has changed since the account was read first.
    password: AtomicU32,
    is_removed: AtomicBool,
    permissions: Arc<LivePermissions>,
}

/// The authorization of one session by its account.
#[derive(Debug, Clone)]
pub struct Authorization {
    grant: Arc<AccountState>,
    /// The password that the session logged in with; `None`: it showed a certificate.
    password: Option<u32>,
}

/// Why a session is granted nothing any more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationReason {
    /// The account was removed, or its row has become invalid.
    AccountRemoved,
    /// The password that the session logged in with is no longer the account's.
    PasswordChanged,
    /// An operator has ended the session, for this reason.
    Operator(Option<Arc<str>>),
}

/// Users whose sessions have lost a grant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevokedUsers {
    /// All of them.
    pub users: Vec<UserName>,
    /// Those whose accounts were removed. There may be another account of the name by now.
    pub removed: Vec<UserName>,
    /// Users whose offers of services may no longer be allowed, as their role or a rule has changed.
    pub judged_anew: Vec<UserName>,
}

impl AccountState {
    pub(super) fn new(role: Role, permissions: Option<Arc<Permissions>>) -> AccountState {
        AccountState {
            role: AtomicU8::new(number(role)),
            password: AtomicU32::new(0),
            is_removed: AtomicBool::new(false),
            permissions: Arc::new(LivePermissions::new(permissions)),
        }
    }

    /// Returns the number of the current password.
    pub(super) fn password(&self) -> u32 {
        self.password.load(Ordering::Acquire)
    }

    /// Replaces the role. Returns whether it was another one.
    pub(super) fn set_role(&self, role: Role) -> bool {
        self.role.swap(number(role), Ordering::AcqRel) != number(role)
    }

    /// Replaces the permissions; `None` if no rule is about the account. Returns whether the rules
    /// about offers may be others now.
    pub(super) fn set_permissions(&self, permissions: Option<Arc<Permissions>>) -> bool {
        self.permissions.replace(permissions)
    }

    /// Revokes the authorizations of the current password.
    pub(super) fn change_password(&self) {
        self.password.fetch_add(1, Ordering::AcqRel);
    }

    /// Revokes every authorization.
    pub(super) fn remove(&self) {
        self.is_removed.store(true, Ordering::Release);
    }
}

impl Authorization {
    /// Returns the authorization of a session that logged in with this password.
    pub(super) fn by_password(grant: &Arc<AccountState>, password: u32) -> Authorization {
        Authorization {
            grant: Arc::clone(grant),
            password: Some(password),
        }
    }

    /// The authorization of a session that logged in with a certificate.
    pub(super) fn by_certificate(grant: &Arc<AccountState>) -> Authorization {
        Authorization {
            grant: Arc::clone(grant),
            password: None,
        }
    }

    /// Returns the account's current role.
    pub fn role(&self) -> Role {
        let number = self.grant.role.load(Ordering::Acquire);
        ROLES[usize::from(number)]
    }

    /// Returns the account's current permissions if a rule is about this kind. Without such a rule
    /// it costs one atomic load.
    pub fn permissions(&self, kind: RuleKind) -> Option<Arc<Permissions>> {
        self.grant.permissions.of_kind(kind)
    }

    /// Returns the account's permissions, which the operator may change at any moment.
    pub fn live_permissions(&self) -> Arc<LivePermissions> {
        Arc::clone(&self.grant.permissions)
    }

    /// Returns why the authorization was revoked, if it was.
    pub fn revoked(&self) -> Option<RevocationReason> {
        let is_current = |password| password == self.grant.password();
        if self.grant.is_removed.load(Ordering::Acquire) {
            Some(RevocationReason::AccountRemoved)
        } else if self.password.is_none_or(is_current) {
            None
        } else {
            Some(RevocationReason::PasswordChanged)
        }
    }
}

impl PartialEq for Authorization {
    /// Whether both grant the same now.
    fn eq(&self, other: &Authorization) -> bool {
        let grants = |of: &Authorization| (of.role(), of.revoked(), of.grant.permissions.current());
        grants(self) == grants(other)
    }
}

impl Eq for Authorization {}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RevocationReason::AccountRemoved => {
                "the account was removed, or its record is not valid"
            }
            RevocationReason::PasswordChanged => "the account's password was changed",
            RevocationReason::Operator(None) => "an operator has ended the session",
            RevocationReason::Operator(Some(why)) => {
                return write!(f, "an operator has ended the session: {why}");
            }
        })
    }
}

/// Each role at its number.
const ROLES: [Role; 3] = [Role::Leitor, Role::Escritor, Role::Admin];

fn number(role: Role) -> u8 {
    match role {
        Role::Leitor => 0,
        Role::Escritor => 1,
        Role::Admin => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_change_counts_for_each_session() {
        let grant = Arc::new(AccountState::new(Role::Admin, None));
        let (one, other) = (
            Authorization::by_password(&grant, 0),
            Authorization::by_certificate(&grant),
        );
        for role in ROLES {
            grant.set_role(role);
            assert_eq!((one.role(), other.role()), (role, role));
            assert_eq!((one.revoked(), other.revoked()), (None, None));
        }
    }

    #[test]
    fn new_password_revokes_sessions_of_the_old_one_only() {
        let grant = Arc::new(AccountState::new(Role::Leitor, None));
        let old = Authorization::by_password(&grant, grant.password());
        let certificate = Authorization::by_certificate(&grant);
        grant.change_password();
        let new = Authorization::by_password(&grant, grant.password());
        assert_eq!(old.revoked(), Some(RevocationReason::PasswordChanged));
        assert_eq!((new.revoked(), certificate.revoked()), (None, None));
    }

    #[test]
    fn removal_revokes_every_session() {
        let grant = Arc::new(AccountState::new(Role::Leitor, None));
        let by_password = Authorization::by_password(&grant, 0);
        let by_certificate = Authorization::by_certificate(&grant);
        grant.remove();
        assert_eq!(
            by_password.revoked(),
            Some(RevocationReason::AccountRemoved)
        );
        assert_eq!(
            by_certificate.revoked(),
            Some(RevocationReason::AccountRemoved)
        );
    }
}

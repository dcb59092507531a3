//! The accounts in memory.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use parking_lot::RwLock;
use tokio::sync::watch;

use super::authorization::{AccountState, Authorization};
use super::changes::Changes;
use super::recent_login::RecentLogin;
use super::rules::{LivePermissions, RuleRows, RuleTable};
use super::{Account, AccountRows, PeerId, RevokedUsers, UserName};
use crate::audit::AccountChange;
use crate::wire::Millis;

/// How long after a registration other first logins are checked against it.
const WINDOW: Duration = Duration::from_secs(2);

/// First logins in that time that do not count as attempts.
const MAX_FIRST_LOGINS: u32 = 100;

/// First logins with one name that arrive together. One of them registers the account; the
/// others are checked against it without counting as attempts, as they guess nothing. Their
/// number is bounded, once in the life of an account.
#[derive(Debug, Clone)]
pub(super) struct FirstLogins(Option<Arc<RegistrationWindow>>);

#[derive(Debug)]
struct RegistrationWindow {
    since: Instant,
    left: AtomicU32,
}

impl FirstLogins {
    /// No account is being registered.
    pub(super) const NONE: FirstLogins = FirstLogins(None);

    fn now() -> FirstLogins {
        FirstLogins(Some(Arc::new(RegistrationWindow {
            since: Instant::now(),
            left: AtomicU32::new(MAX_FIRST_LOGINS),
        })))
    }

    /// Counts a login as one of them. Returns `false` if it is none.
    pub(super) fn take(&self) -> bool {
        let Some(moment) = &self.0 else { return false };
        let one_less = |left: u32| left.checked_sub(1);
        moment.since.elapsed() < WINDOW
            && moment
                .left
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less)
                .is_ok()
    }
}

/// The accounts in memory: a `DashMap` that every login reads first.
#[derive(Debug, Default)]
pub(super) struct AccountTable {
    slots: DashMap<UserName, Slot>,
    rules: RwLock<RuleTable>,
    /// The permissions of sessions without an account.
    nameless: Arc<LivePermissions>,
}

#[derive(Debug)]
enum Slot {
    /// A first login is in work; the channel closes when it ends.
    Registering(watch::Receiver<()>),
    Known(KnownAccount),
    /// The account's row is invalid: no login, and no registration of the name.
    Invalid,
}

/// An account in memory.
#[derive(Debug, Clone)]
pub(super) struct KnownAccount {
    pub(super) phc: Arc<str>,
    /// The number of this hash's password in `grant`.
    password: u32,
    grant: Arc<AccountState>,
    /// When the user registered: an account that was removed and made again is another one.
    created: Millis,
    pub(super) recent: Option<RecentLogin>,
    pub(super) first_logins: FirstLogins,
}

impl KnownAccount {
    /// Returns the authorization of a login with this account's password.
    pub(super) fn by_password(&self) -> Authorization {
        Authorization::by_password(&self.grant, self.password)
    }

    /// Returns the authorization of a login with a certificate for this account.
    pub(super) fn by_certificate(&self) -> Authorization {
        Authorization::by_certificate(&self.grant)
    }

    /// Whether this peer was the last to log in, and is a local user.
    pub(super) fn was_last_local_user(&self, peer: &PeerId) -> bool {
        self.recent
            .as_ref()
            .is_some_and(|recent| recent.is_by_local_user(peer))
    }
}

/// The account table's answer to a login.
#[derive(Debug)]
pub(super) enum Lookup {
    Known(KnownAccount),
    /// Another first login is in work: wait for its end, then look up again.
    Registering(watch::Receiver<()>),
    /// An account whose row is invalid.
    Invalid,
    /// There is no account; the name is reserved for the caller, if it asked for that.
    Unknown(Option<Reservation>),
}

/// The right to register a name. Dropping it, used or not, wakes the other first logins.
#[derive(Debug)]
pub(super) struct Reservation {
    name: UserName,
    table: Arc<AccountTable>,
    _over: watch::Sender<()>,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let unsettled = |_: &UserName, slot: &Slot| matches!(slot, Slot::Registering(_));
        self.table.slots.remove_if(&self.name, unsettled);
    }
}

impl AccountTable {
    /// Looks a name up, and atomically reserves an unknown one if `reserve` is set: of two
    /// first logins exactly one gets the reservation.
    pub(super) fn find(self: &Arc<Self>, name: &UserName, reserve: bool) -> Lookup {
        match self.slots.entry(name.clone()) {
            Entry::Occupied(slot) => match slot.get() {
                Slot::Known(known) => Lookup::Known(known.clone()),
                Slot::Registering(over) => Lookup::Registering(over.clone()),
                Slot::Invalid => Lookup::Invalid,
            },
            Entry::Vacant(_) if !reserve => Lookup::Unknown(None),
            Entry::Vacant(slot) => {
                let (sender, receiver) = watch::channel(());
                slot.insert(Slot::Registering(receiver));
                Lookup::Unknown(Some(Reservation {
                    name: name.clone(),
                    table: Arc::clone(self),
                    _over: sender,
                }))
            }
        }
    }

    /// Whether there is an account of this name, even one whose row is invalid.
    pub(super) fn has(&self, name: &UserName) -> bool {
        let is_account = |slot: &Slot| !matches!(slot, Slot::Registering(_));
        self.slots.get(name).is_some_and(|slot| is_account(&slot))
    }

    /// Returns the count of accounts and of names that are being registered.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns the permissions of sessions without an account.
    pub(super) fn nameless(&self) -> Arc<LivePermissions> {
        Arc::clone(&self.nameless)
    }

    /// Adds an account that was registered just now and is on disk.
    pub(super) fn add_registered(&self, account: &Account) -> KnownAccount {
        let registered = KnownAccount {
            first_logins: FirstLogins::now(),
            ..known(account, &self.rules.read())
        };
        let slot = Slot::Known(registered.clone());
        self.slots.insert(account.name.clone(), slot);
        registered
    }

    /// Remembers a successful login, if the account has not changed since.
    pub(super) fn remember(&self, name: &UserName, phc: &str, recent: RecentLogin) {
        if let Some(mut slot) = self.slots.get_mut(name)
            && let Slot::Known(known) = &mut *slot
            && &*known.phc == phc
        {
            known.recent = Some(recent);
        }
    }

    #[cfg(test)]
    pub(super) fn forget(&self, name: &UserName) {
        self.let_moment_pass(name);
        if let Some(mut slot) = self.slots.get_mut(name)
            && let Slot::Known(known) = &mut *slot
        {
            known.recent = None;
        }
    }

    #[cfg(test)]
    pub(super) fn let_moment_pass(&self, name: &UserName) {
        if let Some(mut slot) = self.slots.get_mut(name)
            && let Slot::Known(known) = &mut *slot
        {
            known.first_logins = FirstLogins::NONE;
        }
    }

    /// Applies the rows that another process has changed. Registrations in work stay, and so do
    /// remembered logins whose passwords are unchanged. Changed rules count for live sessions.
    /// Returns the users whose sessions have lost their account or its password, and notes every
    /// change of an account.
    pub(super) fn reload(
        &self,
        rows: &AccountRows,
        rules: &RuleRows,
        changes: &mut Changes,
    ) -> RevokedUsers {
        // Held to the end, so that an account that is registered meanwhile gets the new rules.
        let mut table = self.rules.write();
        let rules = RuleTable::new(rules, &table);
        self.nameless.replace(rules.of_nameless());
        let mut revoked = RevokedUsers::default();
        let valid = rows.valid.iter().map(|account| &account.name);
        let invalid = rows.invalid.iter().filter_map(|row| row.user.as_ref());
        let names: HashSet<&UserName> = valid.chain(invalid.clone()).collect();
        self.slots.retain(|name, slot| {
            let stays = matches!(slot, Slot::Registering(_)) || names.contains(name);
            if !stays && let Slot::Known(known) = slot {
                known.grant.remove();
                revoked.removed.push(name.clone());
                changes.note(name, AccountChange::Removed);
            }
            stays
        });
        for user in invalid {
            if let Some(Slot::Known(known)) = self.slots.insert(user.clone(), Slot::Invalid) {
                known.grant.remove();
                revoked.users.push(user.clone());
                changes.note(user, AccountChange::Invalid);
            }
        }
        for account in &rows.valid {
            let mut slot = self
                .slots
                .entry(account.name.clone())
                .or_insert(Slot::Invalid);
            match &mut *slot {
                Slot::Known(same) if same.created == account.created => {
                    let has_other_rules = same.grant.set_permissions(rules.of_user(&account.name));
                    let has_other_role = same.grant.set_role(account.role);
                    if has_other_role {
                        changes.note(&account.name, AccountChange::Role(account.role));
                    }
                    if same.change(account) {
                        revoked.users.push(account.name.clone());
                        changes.note(&account.name, AccountChange::Password);
                    } else if has_other_rules || has_other_role {
                        revoked.judged_anew.push(account.name.clone());
                    }
                }
                Slot::Known(removed) => {
                    removed.grant.remove();
                    revoked.removed.push(account.name.clone());
                    changes.note(&account.name, AccountChange::Removed);
                    changes.note(&account.name, AccountChange::Added(account.role));
                    *slot = Slot::Known(known(account, &rules));
                }
                Slot::Registering(_) | Slot::Invalid => {
                    changes.note(&account.name, AccountChange::Added(account.role));
                    *slot = Slot::Known(known(account, &rules));
                }
            }
        }
        *table = rules;
        revoked.users.extend_from_slice(&revoked.removed);
        revoked
    }
}

impl KnownAccount {
    /// Applies the row's password. Returns whether that revokes a grant of sessions.
    fn change(&mut self, account: &Account) -> bool {
        let is_same = *self.phc == *account.phc;
        if !is_same {
            self.grant.change_password();
            *self = KnownAccount {
                phc: Arc::from(account.phc.as_str()),
                password: self.grant.password(),
                grant: Arc::clone(&self.grant),
                created: self.created,
                recent: None,
                first_logins: FirstLogins::NONE,
            };
        }
        !is_same
    }
}

fn known(account: &Account, rules: &RuleTable) -> KnownAccount {
    let permissions = rules.of_user(&account.name);
    let grant = Arc::new(AccountState::new(account.role, permissions));
    KnownAccount {
        phc: Arc::from(account.phc.as_str()),
        password: grant.password(),
        grant,
        created: account.created,
        recent: None,
        first_logins: FirstLogins::NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registration_race_window_expires() {
        let since = |since| {
            let left = AtomicU32::new(1);
            FirstLogins(Some(Arc::new(RegistrationWindow { since, left })))
        };
        let now = Instant::now();
        assert!(since(now).take());
        let long_ago = now.checked_sub(WINDOW).expect("the clock began before");
        assert!(!since(long_ago).take());
    }
}

//! The accounts in memory.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use tokio::sync::watch;

use super::authorization::{AccountState, Authorization};
use super::recent_login::RecentLogin;
use super::{Account, AccountRows, PeerId, UserName};

/// How long the moment of a registration is.
const WINDOW: Duration = Duration::from_secs(2);

/// First logins at one moment that are checked against the one that registers.
const MAX_FIRST_LOGINS: u32 = 100;

/// Of several first logins at one moment each is checked against the one that registers:
/// those that come second are no guesses. There are only so many of them, once in the
/// life of an account, whoever they are.
#[derive(Debug, Clone)]
pub(super) struct FirstLogins(Option<Arc<RegistrationWindow>>);

#[derive(Debug)]
struct RegistrationWindow {
    since: Instant,
    left: AtomicU32,
}

impl FirstLogins {
    /// Of an account that nobody registers just now.
    pub(super) const NONE: FirstLogins = FirstLogins(None);

    fn now() -> FirstLogins {
        FirstLogins(Some(Arc::new(RegistrationWindow {
            since: Instant::now(),
            left: AtomicU32::new(MAX_FIRST_LOGINS),
        })))
    }

    /// Whether a login is one of them.
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

/// The DashMap of users: what every login looks at first.
#[derive(Debug, Default)]
pub(super) struct AccountTable {
    slots: DashMap<UserName, Slot>,
}

#[derive(Debug)]
enum Slot {
    /// Somebody's first login is under way; the channel closes when it is over.
    Registering(watch::Receiver<()>),
    Known(KnownAccount),
    /// The account's row is invalid: nobody logs in, and nobody takes the name.
    Invalid,
}

/// What is known of an account.
#[derive(Debug, Clone)]
pub(super) struct KnownAccount {
    pub(super) phc: Arc<str>,
    /// The number of this hash's password in `grant`.
    password: u32,
    grant: Arc<AccountState>,
    pub(super) recent: Option<RecentLogin>,
    pub(super) first_logins: FirstLogins,
}

impl KnownAccount {
    /// Returns the grant for a login with this account's password.
    pub(super) fn by_password(&self) -> Authorization {
        Authorization::by_password(&self.grant, self.password)
    }

    /// Returns the grant for a login with a certificate for this account.
    pub(super) fn by_certificate(&self) -> Authorization {
        Authorization::by_certificate(&self.grant)
    }

    /// Whether this peer was the last to log in.
    pub(super) fn is_at_home(&self, peer: &PeerId) -> bool {
        self.recent
            .as_ref()
            .is_some_and(|recent| recent.is_of(peer))
    }
}

/// What a login finds under its name.
#[derive(Debug)]
pub(super) enum Lookup {
    Known(KnownAccount),
    /// Another first login is under way: wait for its end, then look again.
    Registering(watch::Receiver<()>),
    /// An account whose row is invalid.
    Invalid,
    /// Nobody; where it was asked for, the name is now held for the one who asks.
    Unknown(Option<Reservation>),
}

/// The right to register a name. Dropping it, used or not, lets the others go on.
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
    /// Looks a name up, and in the same moment reserves it if it is free and
    /// `reserve` says so: of two first logins exactly one gets the reservation.
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

    /// Accounts, and names that are being registered.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// An account that is on disk, and was registered just now, becomes known.
    pub(super) fn settle(&self, account: &Account) -> KnownAccount {
        let registered = KnownAccount {
            first_logins: FirstLogins::now(),
            ..known(account)
        };
        let slot = Slot::Known(registered.clone());
        self.slots.insert(account.name.clone(), slot);
        registered
    }

    /// Remembers that a password was right, if the account has not changed since.
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

    /// Takes over what another process changed on disk. Registrations under way stay, and
    /// so does the memory of right passwords that are still the same. Returns the users
    /// whose sessions are granted less, or nothing any more.
    pub(super) fn reload(&self, rows: &AccountRows) -> Vec<UserName> {
        let mut revoked = Vec::new();
        let valid = rows.valid.iter().map(|account| &account.name);
        let invalid = rows.invalid.iter().filter_map(|row| row.user.as_ref());
        let names: HashSet<&UserName> = valid.chain(invalid.clone()).collect();
        self.slots.retain(|name, slot| {
            let stays = matches!(slot, Slot::Registering(_)) || names.contains(name);
            if !stays && let Slot::Known(known) = slot {
                known.grant.remove();
                revoked.push(name.clone());
            }
            stays
        });
        for user in invalid {
            if let Some(Slot::Known(known)) = self.slots.insert(user.clone(), Slot::Invalid) {
                known.grant.remove();
                revoked.push(user.clone());
            }
        }
        for account in &rows.valid {
            let mut slot = self
                .slots
                .entry(account.name.clone())
                .or_insert(Slot::Invalid);
            match &mut *slot {
                Slot::Known(known) => {
                    if known.change(account) {
                        revoked.push(account.name.clone());
                    }
                }
                Slot::Registering(_) | Slot::Invalid => *slot = Slot::Known(known(account)),
            }
        }
        revoked
    }
}

impl KnownAccount {
    /// Becomes what the row is now. Whether that revokes what sessions were granted.
    fn change(&mut self, account: &Account) -> bool {
        self.grant.set_role(account.role);
        let is_same = *self.phc == *account.phc;
        if !is_same {
            self.grant.change_password();
            *self = KnownAccount {
                phc: Arc::from(account.phc.as_str()),
                password: self.grant.password(),
                grant: Arc::clone(&self.grant),
                recent: None,
                first_logins: FirstLogins::NONE,
            };
        }
        !is_same
    }
}

fn known(account: &Account) -> KnownAccount {
    let grant = Arc::new(AccountState::new(account.role));
    KnownAccount {
        phc: Arc::from(account.phc.as_str()),
        password: grant.password(),
        grant,
        recent: None,
        first_logins: FirstLogins::NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_over_after_a_while() {
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

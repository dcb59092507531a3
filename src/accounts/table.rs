//! The accounts in memory.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use tokio::sync::watch;

use super::recent::Recent;
use super::{Account, UserName};
use crate::wire::Role;

/// Of several first logins at one moment all are checked against the one that registers,
/// however many there are. This is how long such a moment is.
const MOMENT: Duration = Duration::from_secs(2);

/// The DashMap of users: what every login looks at first.
#[derive(Debug, Default)]
pub(super) struct Table {
    slots: DashMap<UserName, Slot>,
}

#[derive(Debug)]
enum Slot {
    /// Somebody's first login is under way; the channel closes when it is over.
    Registering(watch::Receiver<()>),
    Known(Known),
}

/// What is known of an account.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) phc: Arc<str>,
    pub(super) role: Role,
    pub(super) recent: Option<Recent>,
    /// When it was registered, by this process.
    since: Option<Instant>,
}

impl Known {
    /// Whether it was registered a moment ago.
    pub(super) fn is_new(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() < MOMENT)
    }
}

/// What a login finds under its name.
#[derive(Debug)]
pub(super) enum Found {
    Known(Known),
    /// Another first login is under way: wait for its end, then look again.
    Busy(watch::Receiver<()>),
    /// Nobody; where it was asked for, the name is now held for the one who asks.
    Free(Option<Reservation>),
}

/// The right to register a name. Dropping it, used or not, lets the others go on.
#[derive(Debug)]
pub(super) struct Reservation {
    name: UserName,
    table: Arc<Table>,
    _over: watch::Sender<()>,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let unsettled = |_: &UserName, slot: &Slot| matches!(slot, Slot::Registering(_));
        self.table.slots.remove_if(&self.name, unsettled);
    }
}

impl Table {
    /// Looks a name up, and in the same moment reserves it if it is free and
    /// `reserve` says so: of two first logins exactly one gets the reservation.
    pub(super) fn find(self: &Arc<Self>, name: &UserName, reserve: bool) -> Found {
        match self.slots.entry(name.clone()) {
            Entry::Occupied(slot) => match slot.get() {
                Slot::Known(known) => Found::Known(known.clone()),
                Slot::Registering(over) => Found::Busy(over.clone()),
            },
            Entry::Vacant(_) if !reserve => Found::Free(None),
            Entry::Vacant(slot) => {
                let (sender, receiver) = watch::channel(());
                slot.insert(Slot::Registering(receiver));
                Found::Free(Some(Reservation {
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
    pub(super) fn settle(&self, account: &Account) {
        let registered = Known {
            since: Some(Instant::now()),
            ..known(account)
        };
        self.slots
            .insert(account.name.clone(), Slot::Known(registered));
    }

    /// Remembers that a password was right, if the account has not changed since.
    pub(super) fn remember(&self, name: &UserName, phc: &str, recent: Recent) {
        if let Some(mut slot) = self.slots.get_mut(name)
            && let Slot::Known(known) = &mut *slot
            && &*known.phc == phc
        {
            known.recent = Some(recent);
        }
    }

    #[cfg(test)]
    pub(super) fn forget(&self, name: &UserName) {
        if let Some(mut slot) = self.slots.get_mut(name)
            && let Slot::Known(known) = &mut *slot
        {
            (known.recent, known.since) = (None, None);
        }
    }

    /// Takes over what another process changed on disk. Registrations under way
    /// stay, and so does the memory of right passwords that are still the same.
    pub(super) fn reload(&self, accounts: &[Account]) {
        let names: HashSet<&UserName> = accounts.iter().map(|account| &account.name).collect();
        self.slots
            .retain(|name, slot| matches!(slot, Slot::Registering(_)) || names.contains(name));
        for account in accounts {
            let mut fresh = known(account);
            if let Some(slot) = self.slots.get(&account.name)
                && let Slot::Known(old) = &*slot
                && old.phc == fresh.phc
            {
                fresh.recent.clone_from(&old.recent);
                fresh.since = old.since;
            }
            self.slots.insert(account.name.clone(), Slot::Known(fresh));
        }
    }
}

fn known(account: &Account) -> Known {
    Known {
        phc: Arc::from(account.phc.as_str()),
        role: account.role,
        recent: None,
        since: None,
    }
}

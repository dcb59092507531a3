//! Where accounts are kept: what is committed is made known, in one order.

use std::fmt;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::account_table::{AccountTable, KnownAccount};
use super::reload::{LastRead, NewlyInvalid};
use super::{Account, UserName};
use crate::store::{Db, Store, StoreError};

/// Where accounts are kept.
#[derive(Debug)]
pub(super) enum AccountStore {
    /// For as long as the process lives.
    Memory,
    /// In the database.
    Disk {
        store: Store,
        cache: Arc<AccountCache>,
    },
}

/// How an insertion went.
#[derive(Debug)]
pub(super) enum InsertOutcome {
    /// It is on disk, and in the table.
    Registered(KnownAccount),
    /// Another process was first; the table knows.
    NameTaken,
    /// It is not on disk; the log says why.
    Failed,
}

impl AccountStore {
    /// Loads what the database holds into `table`.
    pub(super) fn open(store: Store, table: Arc<AccountTable>) -> Result<AccountStore, StoreError> {
        let cache = Arc::new(AccountCache {
            table,
            last: Mutex::default(),
            waiting: Mutex::default(),
            on_revoked: OnceLock::new(),
        });
        let loading = Arc::clone(&cache);
        if let Some(loaded) = store.wait(move |db| loading.try_refresh(db)) {
            loaded?;
        }
        Ok(AccountStore::Disk { store, cache })
    }

    /// Makes the account durable, then known.
    pub(super) async fn insert(&self, table: &AccountTable, account: Account) -> InsertOutcome {
        match self {
            AccountStore::Memory => InsertOutcome::Registered(table.settle(&account)),
            AccountStore::Disk { store, cache } => {
                let (reply, answer) = oneshot::channel();
                cache.waiting.lock().push((account, reply));
                let cache = Arc::clone(cache);
                store.ask(move |db| cache.insert_waiting(db));
                answer.await.unwrap_or(InsertOutcome::Failed)
            }
        }
    }

    /// Sees to it that the table knows what other processes have committed. `false`: it
    /// cannot be read, so that what the table says may not hold any more.
    pub(super) async fn refresh(&self) -> bool {
        match self {
            AccountStore::Memory => true,
            AccountStore::Disk { store, cache } => {
                let cache = Arc::clone(cache);
                // Where the store has ended, the server is stopping, and refuses logins itself.
                let refreshed = store.ask(move |db| cache.refresh(db)).await;
                refreshed.unwrap_or(true)
            }
        }
    }

    pub(super) fn on_revoked(&self, tell: RevocationCallback) {
        if let AccountStore::Disk { cache, .. } = self {
            let _ = cache.on_revoked.set(OnRevoked(tell)); // the first caller counts
        }
    }
}

/// Is told the users whose sessions have been granted less.
pub(super) type RevocationCallback = Box<dyn Fn(Vec<UserName>) + Send + Sync>;

struct OnRevoked(RevocationCallback);

impl fmt::Debug for OnRevoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnRevoked(…)")
    }
}

/// What the store's thread works with.
#[derive(Debug)]
pub(super) struct AccountCache {
    table: Arc<AccountTable>,
    /// How the table was read.
    last: Mutex<LastRead>,
    waiting: Mutex<Vec<(Account, oneshot::Sender<InsertOutcome>)>>,
    on_revoked: OnceLock<OnRevoked>,
}

impl AccountCache {
    /// What waits together is committed together: one sync for all of it. Those who
    /// asked for the others find nothing left to do.
    fn insert_waiting(&self, db: &mut Db) {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        let (accounts, replies): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        if accounts.is_empty() {
            return;
        }
        let added = db.insert(&accounts).unwrap_or_else(|error| {
            tracing::error!(%error, "accounts could not be written");
            Vec::new()
        });
        if added.contains(&false) {
            self.refresh(db);
        }
        for (index, (account, reply)) in accounts.iter().zip(replies).enumerate() {
            let outcome = match added.get(index) {
                Some(true) => InsertOutcome::Registered(self.table.settle(account)),
                Some(false) => InsertOutcome::NameTaken,
                None => InsertOutcome::Failed,
            };
            let _ = reply.send(outcome); // whoever asked may have gone
        }
    }

    /// Whether the table is what the database says.
    fn refresh(&self, db: &mut Db) -> bool {
        let read = self.try_refresh(db);
        let is_news = self.last.lock().note_outcome(read.is_err());
        match &read {
            Err(error) if is_news => {
                tracing::error!(%error, "accounts cannot be read, refusing all logins");
            }
            Ok(()) if is_news => tracing::info!("accounts can be read again"),
            _ => {}
        }
        read.is_ok()
    }

    fn try_refresh(&self, db: &mut Db) -> Result<(), StoreError> {
        let version = db.data_version()?;
        let mut last = self.last.lock();
        if last.is_of(version) {
            return Ok(());
        }
        let rows = db.accounts()?;
        let revoked = self.table.reload(&rows);
        tell_invalid(&last.note_rows(version, rows.invalid));
        drop(last);
        if let Some(OnRevoked(tell)) = self.on_revoked.get()
            && !revoked.is_empty()
        {
            tell(revoked);
        }
        Ok(())
    }
}

fn tell_invalid(newly: &NewlyInvalid) {
    for row in &newly.named {
        let (user, reason) = (&row.name, &row.reason);
        tracing::error!(?user, reason, "account is invalid, refusing its logins");
    }
    if newly.others > 0 {
        let others = newly.others;
        tracing::error!(others, "more accounts are invalid, refusing their logins");
    }
}

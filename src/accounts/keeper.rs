//! Where accounts are kept: what is committed is made known, in one order.

use std::fmt;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::reload::{LastRead, NewlyInvalid};
use super::table::{Known, Table};
use super::{Account, UserName};
use crate::store::{Db, Store, StoreError};

/// Where accounts are kept.
#[derive(Debug)]
pub(super) enum Keeper {
    /// For as long as the process lives.
    Memory,
    /// In the database.
    Disk { store: Store, shelf: Arc<Shelf> },
}

/// How an insertion went.
#[derive(Debug)]
pub(super) enum Inserted {
    /// It is on disk, and in the table.
    Yes(Known),
    /// Another process was first; the table knows.
    NameTaken,
    /// It is not on disk; the log says why.
    Failed,
}

impl Keeper {
    /// Loads what the database holds into `table`.
    pub(super) fn open(store: Store, table: Arc<Table>) -> Result<Keeper, StoreError> {
        let shelf = Arc::new(Shelf {
            table,
            last: Mutex::default(),
            waiting: Mutex::default(),
            on_revoked: OnceLock::new(),
        });
        let loading = Arc::clone(&shelf);
        if let Some(loaded) = store.wait(move |db| loading.try_refresh(db)) {
            loaded?;
        }
        Ok(Keeper::Disk { store, shelf })
    }

    /// Makes the account durable, then known.
    pub(super) async fn insert(&self, table: &Table, account: Account) -> Inserted {
        match self {
            Keeper::Memory => Inserted::Yes(table.settle(&account)),
            Keeper::Disk { store, shelf } => {
                let (reply, answer) = oneshot::channel();
                shelf.waiting.lock().push((account, reply));
                let shelf = Arc::clone(shelf);
                store.ask(move |db| shelf.insert_waiting(db));
                answer.await.unwrap_or(Inserted::Failed)
            }
        }
    }

    /// Sees to it that the table knows what other processes have committed. `false`: it
    /// cannot be read, so that what the table says may not hold any more.
    pub(super) async fn refresh(&self) -> bool {
        match self {
            Keeper::Memory => true,
            Keeper::Disk { store, shelf } => {
                let shelf = Arc::clone(shelf);
                // Where the store has ended, the server is stopping, and refuses logins itself.
                let refreshed = store.ask(move |db| shelf.refresh(db)).await;
                refreshed.unwrap_or(true)
            }
        }
    }

    pub(super) fn on_revoked(&self, tell: Tell) {
        if let Keeper::Disk { shelf, .. } = self {
            let _ = shelf.on_revoked.set(OnRevoked(tell)); // the first caller counts
        }
    }
}

/// Is told the users whose sessions have been granted less.
pub(super) type Tell = Box<dyn Fn(Vec<UserName>) + Send + Sync>;

struct OnRevoked(Tell);

impl fmt::Debug for OnRevoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnRevoked(…)")
    }
}

/// What the store's thread works with.
#[derive(Debug)]
pub(super) struct Shelf {
    table: Arc<Table>,
    /// How the table was read.
    last: Mutex<LastRead>,
    waiting: Mutex<Vec<(Account, oneshot::Sender<Inserted>)>>,
    on_revoked: OnceLock<OnRevoked>,
}

impl Shelf {
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
                Some(true) => Inserted::Yes(self.table.settle(account)),
                Some(false) => Inserted::NameTaken,
                None => Inserted::Failed,
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

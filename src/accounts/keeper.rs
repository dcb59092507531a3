//! Where accounts are kept: what is committed is made known, in one order.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::Account;
use super::table::Table;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inserted {
    /// It is on disk, and in the table.
    Yes,
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
            version: Mutex::new(None),
            waiting: Mutex::default(),
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
            Keeper::Memory => {
                table.settle(&account);
                Inserted::Yes
            }
            Keeper::Disk { store, shelf } => {
                let (reply, answer) = oneshot::channel();
                shelf.waiting.lock().push((account, reply));
                let shelf = Arc::clone(shelf);
                store.ask(move |db| shelf.insert_waiting(db));
                answer.await.unwrap_or(Inserted::Failed)
            }
        }
    }

    /// Sees to it that the table knows what other processes have committed.
    pub(super) async fn refresh(&self) {
        if let Keeper::Disk { store, shelf } = self {
            let shelf = Arc::clone(shelf);
            // Where the store has ended, nothing has changed that counts.
            let _ = store.ask(move |db| shelf.refresh(db)).await;
        }
    }
}

/// What the store's thread works with.
#[derive(Debug)]
pub(super) struct Shelf {
    table: Arc<Table>,
    /// The version of the database that the table was read from.
    version: Mutex<Option<i64>>,
    waiting: Mutex<Vec<(Account, oneshot::Sender<Inserted>)>>,
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
                Some(true) => {
                    self.table.settle(account);
                    Inserted::Yes
                }
                Some(false) => Inserted::NameTaken,
                None => Inserted::Failed,
            };
            let _ = reply.send(outcome); // whoever asked may have gone
        }
    }

    fn refresh(&self, db: &mut Db) {
        if let Err(error) = self.try_refresh(db) {
            tracing::error!(%error, "accounts could not be read again");
        }
    }

    fn try_refresh(&self, db: &mut Db) -> Result<(), StoreError> {
        let version = Some(db.data_version()?);
        let mut known = self.version.lock();
        if version != *known {
            self.table.reload(&db.accounts()?);
            *known = version;
        }
        Ok(())
    }
}

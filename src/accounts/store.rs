//! The database's thread: what it commits, it makes known, in one order.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::table::Table;
use super::{Account, Db, StoreError};

/// Where accounts are kept.
#[derive(Debug)]
pub struct Store {
    keeper: Keeper,
}

#[derive(Debug)]
enum Keeper {
    /// For as long as the process lives.
    Memory,
    Thread {
        jobs: Sender<Job>,
        thread: JoinHandle<()>,
    },
}

enum Job {
    Insert(Account, oneshot::Sender<Inserted>),
    /// Take over what another process changed, if one did.
    Refresh(oneshot::Sender<()>),
    Checkpoint(oneshot::Sender<Result<(), StoreError>>),
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

impl Store {
    /// Keeps nothing beyond the process.
    pub(super) fn memory() -> Store {
        Store {
            keeper: Keeper::Memory,
        }
    }

    /// Loads what the database holds into `table` and starts its thread.
    pub(super) fn open(mut db: Db, table: Arc<Table>) -> Result<Store, StoreError> {
        let version = db.data_version()?;
        table.reload(&db.accounts()?);
        let (jobs, receiver) = channel();
        let work = Work { db, table, version };
        let thread = std::thread::Builder::new()
            .name("arauto-store".to_owned())
            .spawn(move || work.run(&receiver))
            .expect("the system has a thread to give at the start");
        Ok(Store {
            keeper: Keeper::Thread { jobs, thread },
        })
    }

    /// Makes the account durable, then known.
    pub(super) async fn insert(&self, table: &Table, account: Account) -> Inserted {
        match &self.keeper {
            Keeper::Memory => {
                table.settle(&account);
                Inserted::Yes
            }
            Keeper::Thread { jobs, .. } => ask(jobs, |reply| Job::Insert(account, reply))
                .await
                .unwrap_or(Inserted::Failed),
        }
    }

    /// Sees to it that the table knows what other processes have committed.
    pub(super) async fn refresh(&self) {
        if let Keeper::Thread { jobs, .. } = &self.keeper {
            ask(jobs, Job::Refresh).await;
        }
    }

    /// Moves everything into the database file.
    ///
    /// # Errors
    /// It could not; the write-ahead log beside the file still has it all.
    pub(super) async fn checkpoint(&self) -> Result<(), StoreError> {
        match &self.keeper {
            Keeper::Memory => Ok(()),
            Keeper::Thread { jobs, .. } => ask(jobs, Job::Checkpoint).await.unwrap_or(Ok(())),
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Keeper::Thread { thread, jobs } = std::mem::replace(&mut self.keeper, Keeper::Memory)
        {
            drop(jobs); // the thread ends when nobody can ask it any more
            if thread.join().is_err() {
                tracing::error!("the store's thread panicked");
            }
        }
    }
}

async fn ask<T>(jobs: &Sender<Job>, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Option<T> {
    let (reply, answer) = oneshot::channel();
    jobs.send(job(reply)).ok()?;
    answer.await.ok()
}

struct Work {
    db: Db,
    table: Arc<Table>,
    version: i64,
}

impl Work {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            // What waits together is committed together: one sync for all of it.
            let mut batch = Batch::default();
            for job in std::iter::once(first).chain(jobs.try_iter()) {
                batch.add(job);
            }
            self.insert(batch.accounts, batch.inserted);
            if !batch.refreshes.is_empty() {
                self.refresh();
            }
            batch.refreshes.into_iter().for_each(|reply| {
                let _ = reply.send(()); // whoever asked may have gone
            });
            for reply in batch.checkpoints {
                let _ = reply.send(self.db.checkpoint());
            }
        }
    }

    fn insert(&mut self, accounts: Vec<Account>, replies: Vec<oneshot::Sender<Inserted>>) {
        if accounts.is_empty() {
            return;
        }
        let added = self.db.insert(&accounts).unwrap_or_else(|error| {
            tracing::error!(%error, "accounts could not be written");
            Vec::new()
        });
        if added.contains(&false) {
            self.refresh();
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
            let _ = reply.send(outcome);
        }
    }

    fn refresh(&mut self) {
        if let Err(error) = self.try_refresh() {
            tracing::error!(%error, "accounts could not be read again");
        }
    }

    fn try_refresh(&mut self) -> Result<(), StoreError> {
        let version = self.db.data_version()?;
        if version != self.version {
            self.table.reload(&self.db.accounts()?);
            self.version = version;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Batch {
    accounts: Vec<Account>,
    inserted: Vec<oneshot::Sender<Inserted>>,
    refreshes: Vec<oneshot::Sender<()>>,
    checkpoints: Vec<oneshot::Sender<Result<(), StoreError>>>,
}

impl Batch {
    fn add(&mut self, job: Job) {
        match job {
            Job::Insert(account, reply) => {
                self.accounts.push(account);
                self.inserted.push(reply);
            }
            Job::Refresh(reply) => self.refreshes.push(reply),
            Job::Checkpoint(reply) => self.checkpoints.push(reply),
        }
    }
}

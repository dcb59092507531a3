//! The storage of accounts: the database, and the table in memory that follows it.
//!
//! The store's thread updates the table right after each commit, so that changes of this
//! process and of others reach it in the order of the commits.

use std::fmt;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::account_table::{AccountTable, KnownAccount};
use super::changes::Changes;
use super::reload::{LastRead, NewlyInvalid};
use super::{Account, AccountRule, InvalidAccount, InvalidRule, RevokedUsers};
use crate::audit::AuditSink;
use crate::store::{Db, Store, StoreError};

/// The storage of accounts.
#[derive(Debug)]
pub(super) enum AccountStore {
    /// They last as long as the process.
    Memory,
    /// They are in the database.
    Disk {
        store: Store,
        cache: Arc<AccountCache>,
    },
}

/// The result of an insertion.
#[derive(Debug)]
pub(super) enum InsertOutcome {
    /// The account is on disk and in the table.
    Registered(KnownAccount),
    /// Another process has registered the name; the table has its account.
    NameTaken,
    /// The account is not on disk; the log has the reason.
    Failed,
}

impl AccountStore {
    /// Loads the accounts of the database into `table`.
    pub(super) fn open(store: Store, table: Arc<AccountTable>) -> Result<AccountStore, StoreError> {
        let cache = Arc::new(AccountCache {
            table,
            last: Mutex::default(),
            waiting: Mutex::default(),
            on_revoked: OnceLock::new(),
            rules: Mutex::default(),
            audit: OnceLock::new(),
        });
        let loading = Arc::clone(&cache);
        if let Some(loaded) = store.wait(move |db| loading.try_refresh(db)) {
            loaded?;
        }
        Ok(AccountStore::Disk { store, cache })
    }

    /// Makes the account durable, then adds it to the table.
    pub(super) async fn insert(&self, table: &AccountTable, account: Account) -> InsertOutcome {
        match self {
            AccountStore::Memory => InsertOutcome::Registered(table.add_registered(&account)),
            AccountStore::Disk { store, cache } => {
                let (reply, answer) = oneshot::channel();
                cache.waiting.lock().push((account, reply));
                let cache = Arc::clone(cache);
                store.ask(move |db| cache.insert_waiting(db));
                answer.await.unwrap_or(InsertOutcome::Failed)
            }
        }
    }

    /// Updates the table with the commits of other processes. Returns `false` if the database
    /// cannot be read: then the table may be out of date.
    pub(super) async fn refresh(&self) -> bool {
        match self {
            AccountStore::Memory => true,
            AccountStore::Disk { store, cache } => {
                let cache = Arc::clone(cache);
                // If the store has ended, the server is stopping and refuses logins itself.
                let refreshed = store.ask(move |db| cache.refresh(db)).await;
                refreshed.unwrap_or(true)
            }
        }
    }

    pub(super) fn on_revoked(&self, callback: RevocationCallback) {
        if let AccountStore::Disk { cache, .. } = self {
            let _ = cache.on_revoked.set(OnRevoked(callback)); // only the first one is used
        }
    }

    pub(super) fn set_audit(&self, audit: AuditSink) {
        if let AccountStore::Disk { cache, .. } = self {
            let _ = cache.audit.set(audit); // only the first one is used
        }
    }
}

/// Called with the users whose sessions have lost a grant.
pub(super) type RevocationCallback = Box<dyn Fn(RevokedUsers) + Send + Sync>;

struct OnRevoked(RevocationCallback);

impl fmt::Debug for OnRevoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnRevoked(…)")
    }
}

/// Keeps the table in step with the database; used on the store's thread.
#[derive(Debug)]
pub(super) struct AccountCache {
    table: Arc<AccountTable>,
    /// The last reading of the database.
    last: Mutex<LastRead>,
    waiting: Mutex<Vec<(Account, oneshot::Sender<InsertOutcome>)>>,
    on_revoked: OnceLock<OnRevoked>,
    /// The valid rules of the last reading.
    rules: Mutex<Vec<AccountRule>>,
    /// Gets the changes by other processes.
    audit: OnceLock<AuditSink>,
}

impl AccountCache {
    /// Commits all waiting accounts in one transaction, with one sync. The jobs of the other
    /// callers then find nothing left to do.
    fn insert_waiting(&self, db: &mut Db) {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        let (accounts, replies): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        if accounts.is_empty() {
            return;
        }
        let added = db.insert(&accounts).unwrap_or_else(|error| {
            tracing::error!(%error, "account commit failed");
            Vec::new()
        });
        if added.contains(&false) {
            self.refresh(db);
        }
        for (index, (account, reply)) in accounts.iter().zip(replies).enumerate() {
            let outcome = match added.get(index) {
                Some(true) => InsertOutcome::Registered(self.table.add_registered(account)),
                Some(false) => InsertOutcome::NameTaken,
                None => InsertOutcome::Failed,
            };
            let _ = reply.send(outcome); // the caller may have gone
        }
    }

    /// Updates the table. Returns whether it now matches the database.
    fn refresh(&self, db: &mut Db) -> bool {
        let read = self.try_refresh(db);
        let is_news = self.last.lock().note_outcome(read.is_err());
        match &read {
            Err(error) if is_news => {
                tracing::error!(%error, "accounts cannot be read; refusing all logins");
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
        let (rows, rules) = db.accounts_and_rules()?;
        let audit = self.audit.get().cloned().unwrap_or_default();
        let mut changes = Changes::new(audit.is_on());
        let revoked = self.table.reload(&rows, &rules, &mut changes);
        let (accounts, invalid_rules) = last.note_rows(version, rows.invalid, rules.invalid);
        drop(last);
        let mut known_rules = self.rules.lock();
        changes.note_rules(&known_rules, &rules.valid);
        *known_rules = rules.valid;
        drop(known_rules);
        changes.tell(&audit);
        log_invalid_accounts(&accounts);
        log_invalid_rules(&invalid_rules);
        if let Some(OnRevoked(callback)) = self.on_revoked.get()
            && !(revoked.users.is_empty() && revoked.judged_anew.is_empty())
        {
            callback(revoked);
        }
        Ok(())
    }
}

fn log_invalid_accounts(newly: &NewlyInvalid<InvalidAccount>) {
    for row in &newly.named {
        let (user, reason) = (&row.name, &row.reason);
        tracing::error!(?user, reason, "account is invalid; refusing its logins");
    }
    if newly.others > 0 {
        let others = newly.others;
        tracing::error!(others, "more accounts are invalid; refusing their logins");
    }
}

fn log_invalid_rules(newly: &NewlyInvalid<InvalidRule>) {
    for invalid in &newly.named {
        let [user, kind, pattern, effect] = &invalid.row;
        let reason = &invalid.reason;
        tracing::error!(
            ?user,
            ?kind,
            ?pattern,
            ?effect,
            reason,
            "rule is invalid; denying every use that it may be about"
        );
    }
    if newly.others > 0 {
        let others = newly.others;
        tracing::error!(others, "more rules are invalid");
    }
}

//! The accounts on disk: SQLite, one file, which every tool can open.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

use super::{NameError, UserName};
use crate::wire::{Millis, Role};

/// The version of the tables, in SQLite's `user_version`.
const SCHEMA: i64 = 1;

/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// An account as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user's name.
    pub name: UserName,
    /// The password's argon2id hash, in PHC form.
    pub phc: String,
    /// What the user may do.
    pub role: Role,
    /// When the user registered.
    pub created: Millis,
}

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file is no database, or a broken one.
    #[error(
        "{} is damaged ({source}): move it away and restore a copy; its bytes were left alone",
        path.display()
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The tables are of a later version of arauto.
    #[error("{} was written by a newer arauto (tables {found}, known here {SCHEMA}): use that one", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// An account in it cannot be one.
    #[error("{} holds an account that cannot be: {name:?}: {reason}", path.display())]
    Impossible {
        /// The database.
        path: PathBuf,
        /// The account's name.
        name: String,
        /// Why it cannot be.
        reason: String,
    },
    /// Anything else: no space, no permission, locked for too long.
    #[error("{}: {source}", path.display())]
    Failed {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// One connection to the database.
#[derive(Debug)]
pub struct Db {
    path: PathBuf,
    connection: Connection,
}

impl Db {
    /// Opens the database at `path`, which must exist; an empty file becomes one.
    ///
    /// Every commit is on disk when it returns (WAL, `synchronous=FULL`).
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(path: &Path) -> Result<Db, StoreError> {
        let connection = Connection::open(path).map_err(|error| failed(path, error))?;
        let mut db = Db {
            path: path.to_owned(),
            connection,
        };
        db.prepare()?;
        Ok(db)
    }

    fn prepare(&mut self) -> Result<(), StoreError> {
        let version = self.run(|connection| {
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let version: i64 =
                transaction.pragma_query_value(None, "user_version", |r| r.get(0))?;
            if version == 0 {
                transaction.execute_batch(
                    "CREATE TABLE account (
                         name    TEXT PRIMARY KEY,
                         phc     TEXT NOT NULL,
                         role    TEXT NOT NULL,
                         created INTEGER NOT NULL
                     ) STRICT, WITHOUT ROWID;",
                )?;
                transaction.pragma_update(None, "user_version", SCHEMA)?;
            }
            transaction.commit()?;
            Ok(version)
        })?;
        if version > SCHEMA {
            return Err(StoreError::Newer {
                path: self.path.clone(),
                found: version,
            });
        }
        Ok(())
    }

    /// Every account, by name.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn accounts(&mut self) -> Result<Vec<Account>, StoreError> {
        let rows = self.run(|connection| {
            connection
                .prepare_cached("SELECT name, phc, role, created FROM account ORDER BY name")?
                .query_map([], RawAccount::read)?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        rows.into_iter()
            .map(|row| {
                let name = row.name.clone();
                row.check().map_err(|reason| StoreError::Impossible {
                    path: self.path.clone(),
                    name,
                    reason,
                })
            })
            .collect()
    }

    /// Adds accounts in one transaction; for each, whether its name was free.
    ///
    /// # Errors
    /// See [`StoreError`]. Then none was added.
    pub fn insert(&mut self, accounts: &[Account]) -> Result<Vec<bool>, StoreError> {
        self.run(|connection| {
            let transaction = connection.transaction()?;
            let added = accounts
                .iter()
                .map(|account| {
                    let added = transaction
                        .prepare_cached("INSERT OR IGNORE INTO account VALUES (?, ?, ?, ?)")?
                        .execute(params![
                            account.name.as_str(),
                            account.phc,
                            account.role.as_str(),
                            i64::try_from(account.created.0).unwrap_or(i64::MAX),
                        ])?;
                    Ok(added == 1)
                })
                .collect::<rusqlite::Result<Vec<_>>>()?;
            transaction.commit()?;
            Ok(added)
        })
    }

    /// Gives a user a new password; whether there is such a user.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn set_password(&mut self, name: &UserName, phc: &str) -> Result<bool, StoreError> {
        self.change(
            "UPDATE account SET phc = ?2 WHERE name = ?1",
            name,
            Some(phc),
        )
    }

    /// Gives a user a role; whether there is such a user.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn set_role(&mut self, name: &UserName, role: Role) -> Result<bool, StoreError> {
        let role = role.as_str();
        self.change(
            "UPDATE account SET role = ?2 WHERE name = ?1",
            name,
            Some(role),
        )
    }

    /// Takes a user away; whether there was one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn remove(&mut self, name: &UserName) -> Result<bool, StoreError> {
        self.change("DELETE FROM account WHERE name = ?1", name, None)
    }

    fn change(
        &mut self,
        sql: &str,
        name: &UserName,
        value: Option<&str>,
    ) -> Result<bool, StoreError> {
        self.run(|connection| {
            let changed = match value {
                Some(value) => connection.execute(sql, params![name.as_str(), value]),
                None => connection.execute(sql, params![name.as_str()]),
            }?;
            Ok(changed == 1)
        })
    }

    /// Whether the user exists.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn contains(&mut self, name: &UserName) -> Result<bool, StoreError> {
        self.run(|connection| {
            let mut query = connection.prepare_cached("SELECT 1 FROM account WHERE name = ?")?;
            let found = query.query_row([name.as_str()], |_| Ok(())).optional()?;
            Ok(found.is_some())
        })
    }

    /// A number that changes when another process has changed the database
    /// (SQLite's `data_version`). A look at shared memory, not at the disk.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn data_version(&mut self) -> Result<i64, StoreError> {
        self.run(|connection| {
            connection
                .prepare_cached("PRAGMA data_version")?
                .query_row([], |row| row.get(0))
        })
    }

    /// Moves what the write-ahead log holds into the database file.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        self.run(|connection| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        })
    }

    fn run<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        work(&mut self.connection).map_err(|error| failed(&self.path, error))
    }
}

fn failed(path: &Path, source: rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Damaged { path, source }
        }
        _ => StoreError::Failed { path, source },
    }
}

/// A row that nobody has looked at yet.
struct RawAccount {
    name: String,
    phc: String,
    role: String,
    created: i64,
}

impl RawAccount {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(RawAccount {
            name: row.get(0)?,
            phc: row.get(1)?,
            role: row.get(2)?,
            created: row.get(3)?,
        })
    }

    fn check(self) -> Result<Account, String> {
        Ok(Account {
            name: UserName::parse(&self.name).map_err(|error: NameError| error.to_string())?,
            role: self.role.parse()?,
            phc: self.phc,
            created: Millis(u64::try_from(self.created).unwrap_or(0)),
        })
    }
}

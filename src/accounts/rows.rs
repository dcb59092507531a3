//! The accounts on disk.

use rusqlite::{OptionalExtension, Row, params};

use super::{NameError, UserName};
use crate::store::{Db, StoreError};
use crate::wire::{Millis, Role};

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

impl Db {
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
                    path: self.path().to_owned(),
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
        self.commit(|connection| {
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
        self.commit(|connection| {
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

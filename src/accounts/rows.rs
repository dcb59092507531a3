//! The accounts on disk.

use std::fmt;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{UserName, is_phc};
use crate::parse_error::ParseError;
use crate::store::{Db, StoreError};
use crate::wire::{Millis, Role};

/// An account as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user's name.
    pub name: UserName,
    /// The password's argon2id hash, in PHC form.
    pub phc: String,
    /// The user's role.
    pub role: Role,
    /// When the user registered.
    pub created: Millis,
}

/// A row that can be no account: nobody logs in with it, and nobody registers its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InvalidAccount {
    /// The text of the name column; invalid UTF-8 is replaced (U+FFFD).
    pub name: String,
    /// The user whose account it would be, where the name is one.
    pub user: Option<UserName>,
    /// The problem with the row.
    pub reason: String,
}

/// The rows of the accounts, each judged by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountRows {
    /// Those that are accounts, by name.
    pub valid: Vec<Account>,
    /// Those that can be none.
    pub invalid: Vec<InvalidAccount>,
}

impl fmt::Display for InvalidAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the account {:?} is invalid and cannot be used ({}): repair it with `arauto users \
             role` or `passwd`, or take it away with `arauto users remove`",
            self.name, self.reason
        )
    }
}

impl Db {
    /// Every account, by name. An invalid row spoils no other one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn accounts(&mut self) -> Result<AccountRows, StoreError> {
        self.run(|connection| select_accounts(connection))
    }

    /// Takes away a row whose name no user can have; whether there was one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn remove_unnameable(&mut self, name: &str) -> Result<bool, StoreError> {
        self.commit(|connection| {
            let sql = "DELETE FROM account WHERE name = ?1";
            Ok(connection.execute(sql, params![name])? == 1)
        })
    }

    /// Adds accounts in one transaction; for each, whether its name was free.
    ///
    /// # Errors
    /// See [`StoreError`]. Then none was added.
    pub fn insert(&mut self, accounts: &[Account]) -> Result<Vec<bool>, StoreError> {
        self.commit(|connection| {
            let transaction = connection.transaction()?;
            let added = insert_accounts(&transaction, accounts)?;
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

    /// Takes a user away, with its producers, its cursors and the rules for its account; whether there was one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn remove(&mut self, name: &UserName) -> Result<bool, StoreError> {
        let name = name.as_str();
        self.commit(|connection| {
            let transaction = connection.transaction()?;
            // A later account of this name is another person's.
            transaction.execute("DELETE FROM producer WHERE account = ?1", [name])?;
            transaction.execute("DELETE FROM cursor WHERE account = ?1", [name])?;
            let removed = transaction.execute("DELETE FROM account WHERE name = ?1", [name])?;
            transaction.commit()?;
            Ok(removed == 1)
        })
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

/// Returns every account, by name.
pub(super) fn select_accounts(connection: &Connection) -> rusqlite::Result<AccountRows> {
    let sql = "SELECT name, phc, role, created FROM account ORDER BY name";
    let mut query = connection.prepare_cached(sql)?;
    let mut rows = query.query([])?;
    let mut judged = AccountRows::default();
    while let Some(row) = rows.next()? {
        match read(row)? {
            Ok(account) => judged.valid.push(account),
            Err(invalid) => judged.invalid.push(invalid),
        }
    }
    Ok(judged)
}

/// Adds accounts within a transaction. Returns for each whether its name was free.
pub(super) fn insert_accounts(
    transaction: &Transaction<'_>,
    accounts: &[Account],
) -> rusqlite::Result<Vec<bool>> {
    let sql = "INSERT OR IGNORE INTO account VALUES (?, ?, ?, ?)";
    let mut insert = transaction.prepare_cached(sql)?;
    let accounts = accounts.iter().map(|account| {
        let added = insert.execute(params![
            account.name.as_str(),
            account.phc,
            account.role.as_str(),
            i64::try_from(account.created.0).unwrap_or(i64::MAX),
        ])?;
        Ok(added == 1)
    });
    accounts.collect()
}

/// One row, judged: SQLite says whether it could be read, the inner result whether it is
/// an account.
fn read(row: &Row<'_>) -> rusqlite::Result<Result<Account, InvalidAccount>> {
    let (name, phc, role) = (row.get_ref(0)?, row.get_ref(1)?, row.get_ref(2)?);
    let user = text(name).and_then(user_name);
    let role =
        text(role).and_then(|role| role.parse().map_err(|error: ParseError| error.to_string()));
    let phc = text(phc).and_then(checkable);
    let created = created(row.get_ref(3)?);
    let account = match (user.clone(), phc, role, created) {
        (Ok(name), Ok(phc), Ok(role), Ok(created)) => Ok(Account {
            name,
            phc: phc.to_owned(),
            role,
            created,
        }),
        (Err(reason), ..) => Err(format!("its name: {reason}")),
        (_, Err(reason), ..) => Err(format!("its password's hash: {reason}")),
        (_, _, Err(reason), _) => Err(format!("its role: {reason}")),
        (.., Err(reason)) => Err(format!("its time: {reason}")),
    };
    Ok(account.map_err(|reason| InvalidAccount {
        name: shown(name),
        user: user.ok(),
        reason,
    }))
}

pub(super) fn text(value: ValueRef<'_>) -> Result<&str, String> {
    let text = value.as_str();
    text.map_err(|error| format!("it is no text ({error})"))
}

pub(super) fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into(),
    }
}

/// A name as the server writes it: another spelling of one would be found by nobody.
pub(super) fn user_name(text: &str) -> Result<UserName, String> {
    let name = UserName::parse(text).map_err(|error| error.to_string())?;
    if name.as_str() != text {
        return Err(format!(
            "it is written {name:?} in the form that logins have"
        ));
    }
    Ok(name)
}

fn checkable(phc: &str) -> Result<&str, String> {
    match is_phc(phc) {
        true => Ok(phc),
        false => Err("it is no argon2id hash that can be checked".to_owned()),
    }
}

fn created(value: ValueRef<'_>) -> Result<Millis, String> {
    let number = value.as_i64();
    let number = number.map_err(|error| format!("it is no number ({error})"))?;
    Ok(Millis(u64::try_from(number).unwrap_or(0)))
}

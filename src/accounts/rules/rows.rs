//! The rules on disk.

use std::collections::BTreeSet;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use super::{AccountRule, InvalidRule, MAX_RULES, MAX_RULES_OF_ACCOUNT, RuleScope};
use crate::accounts::rows::{insert_accounts, select_accounts, shown, text, user_name};
use crate::accounts::{Account, AccountRows, UserName};
use crate::store::{Db, StoreError};
use crate::topic::Rule;

/// The rules of a database. An invalid row does not affect other rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleRows {
    /// The rows that are rules, ordered by account (those for all accounts first), kind and
    /// pattern.
    pub valid: Vec<AccountRule>,
    /// The rows that are not.
    pub invalid: Vec<InvalidRule>,
}

/// Why rules were not added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleChangeError {
    /// The database could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A rule is for a user that has no account.
    #[error("there is no user {0}; `arauto users list` prints all users")]
    UnknownUser(UserName),
    /// An account that was to be added exists.
    #[error(
        "the user {0} exists already; change it with `arauto users passwd` and `arauto users role`"
    )]
    UserExists(UserName),
    /// There would be too many rules for one account, or for all accounts together.
    #[error(
        "there would be {count} rules for {scope}, and {MAX_RULES_OF_ACCOUNT} are allowed: use \
         fewer rules with patterns that match more topics"
    )]
    TooManyForAccount {
        /// The account, or all of them.
        scope: RuleScope,
        /// The number of its rules.
        count: usize,
    },
    /// There would be too many rules.
    #[error("there would be {count} rules, and {MAX_RULES} are allowed in all")]
    TooMany {
        /// The number of rules.
        count: usize,
    },
}

/// A change that was refused, or the number of rules that were new.
type Change = Result<usize, RuleChangeError>;

impl Db {
    /// Returns every rule.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn rules(&mut self) -> Result<RuleRows, StoreError> {
        self.run(|connection| select_rules(connection))
    }

    /// Returns every account and every rule, as they were at one moment.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn accounts_and_rules(&mut self) -> Result<(AccountRows, RuleRows), StoreError> {
        self.run(|connection| {
            // The caller may have begun a transaction, which a savepoint joins.
            let savepoint = connection.savepoint()?;
            Ok((select_accounts(&savepoint)?, select_rules(&savepoint)?))
        })
    }

    /// Adds rules, all or none. Returns how many were not there before.
    ///
    /// # Errors
    /// See [`RuleChangeError`]. Then none was added.
    pub fn add_rules(&mut self, rules: &[AccountRule]) -> Result<usize, RuleChangeError> {
        self.import(&[], rules)
    }

    /// Adds accounts and rules, all or none. Returns how many rules were not there before.
    ///
    /// # Errors
    /// See [`RuleChangeError`]. Then nothing was added.
    pub fn import(
        &mut self,
        accounts: &[Account],
        rules: &[AccountRule],
    ) -> Result<usize, RuleChangeError> {
        self.commit(|connection| {
            let immediate = TransactionBehavior::Immediate;
            let transaction = connection.transaction_with_behavior(immediate)?;
            let change = change(&transaction, accounts, rules)?;
            if change.is_ok() {
                transaction.commit()?;
            }
            Ok(change)
        })?
    }

    /// Removes the rules, both allow and deny, with this scope, kind and pattern. The texts are
    /// compared with the rows as they are, so that invalid rows can be removed too. Returns how
    /// many were removed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn forget_rules(
        &mut self,
        scope: &str,
        kind: &str,
        pattern: &str,
    ) -> Result<usize, StoreError> {
        self.commit(|connection| {
            let sql = "DELETE FROM rule WHERE account = ?1 AND kind = ?2 AND pattern = ?3";
            connection.execute(sql, params![scope, kind, pattern])
        })
    }
}

/// Adds accounts and rules within a transaction, which the caller must not commit if the change was
/// refused.
fn change(
    transaction: &Transaction<'_>,
    accounts: &[Account],
    rules: &[AccountRule],
) -> rusqlite::Result<Change> {
    let added = insert_accounts(transaction, accounts)?;
    if let Some(index) = added.iter().position(|added| !added) {
        let name = accounts[index].name.clone();
        return Ok(Err(RuleChangeError::UserExists(name)));
    }
    let mut new = 0;
    let scopes: BTreeSet<&RuleScope> = rules.iter().map(|rule| &rule.scope).collect();
    for scope in &scopes {
        if let RuleScope::Account(user) = scope
            && !is_known(transaction, user)?
        {
            return Ok(Err(RuleChangeError::UnknownUser(user.clone())));
        }
    }
    for AccountRule { scope, rule } in rules {
        new += transaction
            .prepare_cached("INSERT OR IGNORE INTO rule VALUES (?, ?, ?, ?)")?
            .execute(params![
                scope.as_str(),
                rule.kind.as_str(),
                rule.pattern.as_str(),
                rule.effect.as_str(),
            ])?;
    }
    if new == 0 {
        return Ok(Ok(0));
    }
    for scope in scopes {
        let sql = "SELECT count(*) FROM rule WHERE account = ?";
        let mut query = transaction.prepare_cached(sql)?;
        let count = query.query_row([scope.as_str()], |row| row.get(0))?;
        if count > MAX_RULES_OF_ACCOUNT {
            let scope = scope.clone();
            return Ok(Err(RuleChangeError::TooManyForAccount { scope, count }));
        }
    }
    let sql = "SELECT count(*) FROM rule";
    let count = transaction.query_row(sql, [], |row| row.get(0))?;
    if count > MAX_RULES {
        return Ok(Err(RuleChangeError::TooMany { count }));
    }
    Ok(Ok(new))
}

fn is_known(transaction: &Transaction<'_>, user: &UserName) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached("SELECT 1 FROM account WHERE name = ?")?
        .exists([user.as_str()])
}

fn select_rules(connection: &Connection) -> rusqlite::Result<RuleRows> {
    let sql = "SELECT account, kind, pattern, effect FROM rule \
               ORDER BY account, kind, pattern, effect";
    let mut query = connection.prepare_cached(sql)?;
    let mut rows = query.query([])?;
    let mut judged = RuleRows::default();
    while let Some(row) = rows.next()? {
        match read(row)? {
            Ok(rule) => judged.valid.push(rule),
            Err(invalid) => judged.invalid.push(invalid),
        }
    }
    Ok(judged)
}

/// Judges a row. The outer error is SQLite's.
fn read(row: &Row<'_>) -> rusqlite::Result<Result<AccountRule, InvalidRule>> {
    let columns = [
        row.get_ref(0)?,
        row.get_ref(1)?,
        row.get_ref(2)?,
        row.get_ref(3)?,
    ];
    Ok(judge(columns).map_err(|problem| InvalidRule {
        row: columns.map(shown),
        scope: affected(columns[0]),
        kind: text(columns[1]).ok().and_then(|kind| kind.parse().ok()),
        reason: problem,
    }))
}

fn judge([account, kind, pattern, effect]: [ValueRef<'_>; 4]) -> Result<AccountRule, String> {
    let scope = scope(account).map_err(|reason| format!("its account: {reason}"))?;
    let kind = parse(kind).map_err(|reason| format!("its kind: {reason}"))?;
    let pattern = parse(pattern).map_err(|reason| format!("its pattern: {reason}"))?;
    let effect = parse(effect).map_err(|reason| format!("its effect: {reason}"))?;
    let rule = Rule {
        kind,
        pattern,
        effect,
    };
    Ok(AccountRule { scope, rule })
}

fn parse<T: std::str::FromStr<Err: ToString>>(value: ValueRef<'_>) -> Result<T, String> {
    let parsed = text(value)?.parse();
    parsed.map_err(|error: T::Err| error.to_string())
}

fn scope(account: ValueRef<'_>) -> Result<RuleScope, String> {
    match text(account)? {
        "" => Ok(RuleScope::All),
        name => user_name(name).map(RuleScope::Account),
    }
}

/// Returns the accounts that an invalid row may be about. An account that cannot be read may be any.
fn affected(account: ValueRef<'_>) -> Option<RuleScope> {
    match text(account) {
        Err(_) | Ok("") => Some(RuleScope::All),
        Ok(name) => UserName::parse(name).ok().map(RuleScope::Account),
    }
}

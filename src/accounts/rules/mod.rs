//! The rules of accounts: their rows, and the permissions that live sessions have by them.
//!
//! The problem: an operator changes rules while sessions are logged in. A session must judge each
//! use by the rules of this moment, and a use that no rule is about must cost next to nothing.
//!
//! - `rows` reads and writes the rules in the database.
//! - `table` holds the rules in memory, each once.
//! - `live` holds the permissions of one account, which its sessions share.
//!
//! Invariant: a row that cannot be read grants nothing. The accounts that its rule may be about are
//! denied every use of the rule's kind.

mod live;
mod rows;
mod table;

use std::fmt;

pub use self::live::LivePermissions;
pub use self::rows::{RuleChangeError, RuleRows};
pub(super) use self::table::RuleTable;
use super::UserName;
use crate::topic::{Rule, RuleKind};

/// The most rules for one account, and the most for all accounts together ([`RuleScope::All`]).
/// Each use of a topic is compared with all rules of its kind.
pub const MAX_RULES_OF_ACCOUNT: usize = 256;

/// The most rules in a database. A change of one rule reads all of them.
pub const MAX_RULES: usize = 100_000;

/// The accounts that a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleScope {
    /// All accounts, and sessions of the raw dialect, which have none.
    All,
    /// The account of one user.
    Account(UserName),
}

impl RuleScope {
    /// Returns the text that stands for the scope in the database: the user's name, or an empty
    /// text for all accounts.
    pub fn as_str(&self) -> &str {
        match self {
            RuleScope::All => "",
            RuleScope::Account(user) => user.as_str(),
        }
    }
}

impl fmt::Display for RuleScope {
    /// Writes the scope as `arauto users` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RuleScope::All => f.write_str("--all"),
            RuleScope::Account(user) => user.fmt(f),
        }
    }
}

/// A rule and the accounts that it is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountRule {
    /// The accounts.
    pub scope: RuleScope,
    /// The rule.
    pub rule: Rule,
}

/// A row that is not a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InvalidRule {
    /// The texts of the row: account, kind, pattern, effect. Invalid UTF-8 is replaced (U+FFFD).
    pub row: [String; 4],
    /// The accounts that lose what the rule may be about; `None` if the row names a user that
    /// cannot exist.
    pub scope: Option<RuleScope>,
    /// The kind of the uses that these accounts lose; `None` for every kind.
    pub kind: Option<RuleKind>,
    /// The problem with the row.
    pub reason: String,
}

impl fmt::Display for InvalidRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [account, kind, pattern, effect] = &self.row;
        let account = if account.is_empty() { "--all" } else { account };
        write!(
            f,
            "the rule {effect:?} {account:?} {kind:?} {pattern:?} is invalid ({}), and every use \
             that it may be about is denied: remove it with `arauto users forget`",
            self.reason
        )
    }
}

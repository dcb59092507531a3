//! Accounts: names, passwords, roles, rules, and their storage.
//!
//! Invariants:
//! - of any number of first logins with one name, exactly one registers it;
//! - an account is on disk before any client learns that it exists;
//! - a password is hashed on a bounded pool, and never delays another actor's work;
//! - an unknown name costs the same work as a known one;
//! - failed logins slow down only the peer that makes them;
//! - a change by another process reaches live sessions within seconds, and accounts that
//!   cannot be read grant nothing.

mod account_names;
mod account_store;
mod account_table;
mod authorization;
mod bounded_map;
mod changes;
mod claim;
mod hash;
mod hash_pool;
mod login;
mod login_backoff;
mod login_throttle;
mod name;
mod rates;
mod recent_login;
mod registration_policy;
mod reload;
mod rows;
mod rules;

pub use account_names::AccountNames;
pub use authorization::{Authorization, RevocationReason, RevokedUsers};
pub use claim::{Admitted, Claim, LoginLimits, LoginRefusal};
pub use hash::{HashCost, Hasher, is_phc};
pub use hash_pool::HashLoad;
pub use login::Accounts;
pub use name::{NameError, Password, UserName};
pub use rates::Rates;
pub use rows::{Account, AccountRows, InvalidAccount};
pub use rules::{
    AccountRule, InvalidRule, LivePermissions, MAX_RULES, MAX_RULES_OF_ACCOUNT, RuleChangeError,
    RuleRows, RuleScope,
};

pub use crate::link::PeerId;
pub use crate::store::StoreError;

/// The name that the server's console publishes under; no client can log in with it.
pub const CONSOLE: &str = "consola";

#[cfg(test)]
mod tests;

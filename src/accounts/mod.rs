//! Who may log in: names, passwords, roles, and where they are kept.
//!
//! Invariants:
//! - of any number of first logins of one name, exactly one registers it;
//! - an account is on disk before anybody is told that it exists;
//! - a password is hashed on a bounded pool, never where it would hold up others;
//! - an unknown name costs the same work as a known one;
//! - who guesses is slowed down, and nobody else for it;
//! - what another process revokes counts for live sessions within seconds, and what cannot
//!   be read grants nothing.

mod account_store;
mod account_table;
mod authorization;
mod bounded_map;
mod claim;
mod hash;
mod hash_pool;
mod login;
mod login_backoff;
mod login_throttle;
mod name;
mod rates;
mod recent_login;
mod reload;
mod rows;

pub use authorization::{Authorization, RevocationReason};
pub use claim::{Admitted, Claim, LoginLimits, LoginRefusal};
pub use hash::{HashCost, Hasher, is_phc};
pub use login::Accounts;
pub use name::{NameError, Password, UserName};
pub use rates::Rates;
pub use rows::{Account, AccountRows, InvalidAccount};

pub use crate::link::PeerId;
pub use crate::store::StoreError;

/// The name that the server's own console publishes under; nobody can log in as it.
pub const CONSOLE: &str = "consola";

#[cfg(test)]
mod tests;

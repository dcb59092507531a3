//! Who may log in: names, passwords, roles, and where they are kept.
//!
//! Invariants:
//! - of any number of first logins of one name, exactly one registers it;
//! - an account is on disk before anybody is told that it exists;
//! - a password is hashed on a bounded pool, never where it would hold up others;
//! - an unknown name costs the same work as a known one.

mod db;
mod folder;
mod hash;
mod login;
mod name;
mod pool;
mod recent;
mod store;
mod table;

pub use db::{Account, Db, StoreError};
pub use folder::{DataFolder, FolderError, FolderLock};
pub use hash::{HashCost, Hasher, is_phc};
pub use login::{Accounts, Admitted, Claim, LoginLimits, Refusal};
pub use name::{NameError, Password, PasswordError, UserName};
pub use store::Store;

/// The name that the server's own console publishes under; nobody can log in as it.
pub const CONSOLE: &str = "consola";

#[cfg(test)]
mod tests;

//! Checks a database for an operator: everything that a server would load from it.

use std::path::Path;

use crate::store::{self, CheckedRows, StoreError, Verified};

/// Checks every page and every row of the database at `path`, as of one moment, without a change. A
/// server may be running on it. Blocks.
///
/// # Errors
/// The file cannot be read, or holds no database that this version knows. Faults of a database are
/// in the result.
pub fn verify(path: &Path) -> Result<Verified, StoreError> {
    store::verify(path, |db| {
        let (accounts, rules) = db.accounts_and_rules()?;
        let invalid_accounts = accounts.invalid.iter().map(ToString::to_string);
        let invalid_rules = rules.invalid.iter().map(ToString::to_string);
        Ok(CheckedRows {
            accounts: accounts.valid.len(),
            rules: rules.valid.len(),
            faults: invalid_accounts.chain(invalid_rules).collect(),
        })
    })
}

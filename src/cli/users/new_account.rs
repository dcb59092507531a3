//! New accounts and new passwords.

use arauto::internal::accounts::{Account, Hasher, Password};
use arauto::{HashCost, Millis, Role, UserName};

use crate::cli::exit::{Failure, sysexits};
use crate::cli::password::PasswordArgs;

/// Asks for a password, and returns its hash.
pub(super) fn ask(password: &PasswordArgs, prompt: &str) -> Result<String, Failure> {
    let password = Password::parse(&password.password(prompt)?)
        .map_err(|error| Failure::new(sysexits::DATAERR, error.to_string()))?;
    hash(&password)
}

/// Returns the hash of a password.
pub(super) fn hash(password: &Password) -> Result<String, Failure> {
    let hasher = Hasher::new(HashCost::default()).expect("the default cost is valid");
    hasher
        .hash(password)
        .map_err(|error| Failure::new(sysexits::DATAERR, error.to_string()))
}

/// Returns an account that is registered now.
pub(super) fn new_account(name: UserName, phc: String, role: Role) -> Account {
    Account {
        name,
        phc,
        role,
        created: Millis::now(),
    }
}

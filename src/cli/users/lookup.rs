//! Users by their names, as arguments and in errors.

use std::fmt::Display;

use arauto::UserName;

use crate::cli::exit::{Failure, sysexits};

/// Parses a user's name in an argument.
pub(super) fn parse_name(name: &str) -> Result<UserName, Failure> {
    UserName::parse(name)
        .map_err(|error| Failure::new(sysexits::USAGE, format!("{name:?}: {error}")))
}

/// Fails if the user is not known.
pub(super) fn check_known(name: &UserName, is_known: bool) -> Result<(), Failure> {
    if is_known {
        return Ok(());
    }
    Err(Failure::new(sysexits::DATAERR, unknown_user(name)))
}

/// Returns the error about a user that does not exist.
pub(super) fn unknown_user(name: &UserName) -> String {
    format!("there is no user {name}; `arauto users list` prints all users")
}

/// Returns the failure of an addition of users that exist.
pub(super) fn exists(names: &[UserName]) -> Failure {
    let names: Vec<&str> = names.iter().map(UserName::as_str).collect();
    let message = format!(
        "the user {} exists already; change it with `arauto users passwd` and `arauto users role`",
        names.join(", ")
    );
    Failure::new(sysexits::DATAERR, message)
}

/// Fails if there are invalid rows: names the first one and counts the others.
pub(super) fn report_invalid<T: Display>(rows: &[T]) -> Result<(), Failure> {
    let Some(first) = rows.first() else {
        return Ok(());
    };
    let others = match rows.len() - 1 {
        0 => String::new(),
        others => format!(" (and {others} more)"),
    };
    Err(Failure::new(sysexits::DATAERR, format!("{first}{others}")))
}

//! Parses the file of `arauto users import`: one user per line, as NAME, ROLE and PASSWORD
//! separated by tabs. The whole file is checked before any account is made.

use std::collections::HashSet;

use arauto::Role;
use arauto::UserName;
use arauto::internal::accounts::{Password, is_phc};

/// A user in the file.
#[derive(Debug, PartialEq)]
pub(super) struct ImportedUser {
    pub(super) name: UserName,
    pub(super) role: Role,
    pub(super) secret: Secret,
}

/// The third field of a line.
#[derive(Debug, PartialEq)]
pub(super) enum Secret {
    /// An argon2id hash in the PHC string format, made by another program.
    Hash(String),
    /// The password.
    Password(Password),
}

/// The prefix of a hash. No password may begin with it.
const HASH: &str = "$argon2id$";

/// The number of the wrong line, from 1, and the problem.
#[derive(Debug, thiserror::Error)]
#[error("line {number}: {problem}")]
pub(super) struct ImportError {
    number: usize,
    problem: String,
}

/// Parses the text of a file.
///
/// # Errors
/// A line is wrong, or names a user that an earlier line names.
pub(super) fn read(text: &str) -> Result<Vec<ImportedUser>, ImportError> {
    let (mut users, mut names) = (Vec::new(), HashSet::new());
    for (number, line) in (1..).zip(text.lines()) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |problem| ImportError { number, problem };
        let user = parse(line).map_err(wrong)?;
        if !names.insert(user.name.clone()) {
            return Err(wrong(format!("the user {} occurs twice", user.name)));
        }
        users.push(user);
    }
    Ok(users)
}

fn parse(line: &str) -> Result<ImportedUser, String> {
    let mut fields = line.splitn(3, '\t');
    let mut field = |what: &str| {
        let missing =
            format!("the {what} is missing: a line is NAME, ROLE and PASSWORD, separated by tabs");
        fields.next().ok_or(missing)
    };
    let (name, role, password) = (field("name")?, field("role")?, field("password")?);
    Ok(ImportedUser {
        name: UserName::parse(name).map_err(|error| format!("{name:?}: {error}"))?,
        role: role
            .parse()
            .map_err(|error: arauto::ParseError| error.to_string())?,
        secret: secret(password)?,
    })
}

fn secret(text: &str) -> Result<Secret, String> {
    if is_phc(text) {
        return Ok(Secret::Hash(text.to_owned()));
    }
    // Accepted as a password, it would be one that the user does not know and others may.
    if text.starts_with(HASH) {
        return Err(format!(
            "the password begins with {HASH} but is not an argon2id hash that arauto can check"
        ));
    }
    let password = Password::parse(text).map_err(|error| error.to_string())?;
    Ok(Secret::Password(password))
}

//! The file of `arauto users import`: a line each, NAME, ROLE and PASSWORD with tabs
//! between. It is read whole before anything is made of it.

use std::collections::HashSet;

use arauto::Role;
use arauto::UserName;
use arauto::internal::accounts::{Password, is_phc};

/// Somebody who is to have an account.
#[derive(Debug, PartialEq)]
pub(super) struct Newcomer {
    pub(super) name: UserName,
    pub(super) role: Role,
    pub(super) secret: Secret,
}

/// What stands in a password's place.
#[derive(Debug, PartialEq)]
pub(super) enum Secret {
    /// An argon2id hash in PHC form, made elsewhere.
    Hash(String),
    /// The password.
    Password(Password),
}

/// What a hash begins with, and no password.
const HASH: &str = "$argon2id$";

/// Which line is wrong, from 1, and what about it.
#[derive(Debug, thiserror::Error)]
#[error("line {number}: {problem}")]
pub(super) struct WrongLine {
    number: usize,
    problem: String,
}

/// Everybody in a file of this text.
pub(super) fn read(text: &str) -> Result<Vec<Newcomer>, WrongLine> {
    let (mut newcomers, mut names) = (Vec::new(), HashSet::new());
    for (number, line) in (1..).zip(text.lines()) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |problem| WrongLine { number, problem };
        let newcomer = parse(line).map_err(wrong)?;
        if !names.insert(newcomer.name.clone()) {
            return Err(wrong(format!("{} comes twice", newcomer.name)));
        }
        newcomers.push(newcomer);
    }
    Ok(newcomers)
}

fn parse(line: &str) -> Result<Newcomer, String> {
    let mut fields = line.splitn(3, '\t');
    let mut field = |what: &str| {
        let missing = format!("no {what}: a line is NAME, ROLE and PASSWORD with tabs between");
        fields.next().ok_or(missing)
    };
    let (name, role, password) = (field("name")?, field("role")?, field("password")?);
    Ok(Newcomer {
        name: UserName::parse(name).map_err(|error| format!("{name:?}: {error}"))?,
        role: role.parse()?,
        secret: secret(password)?,
    })
}

fn secret(text: &str) -> Result<Secret, String> {
    if is_phc(text) {
        return Ok(Secret::Hash(text.to_owned()));
    }
    // Taken for a password it would be one that its user does not know, and others may.
    if text.starts_with(HASH) {
        return Err(format!(
            "the password begins with {HASH} and is no argon2id hash that can be checked here"
        ));
    }
    let password = Password::parse(text).map_err(|error| error.to_string())?;
    Ok(Secret::Password(password))
}

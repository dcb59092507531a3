//! `arauto users import` and `export`: users and rules as a file.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use arauto::UserName;
use arauto::internal::accounts::{Account, AccountRule, Db, RuleScope};

use super::file::{self, ImportFile, ImportedRule, ImportedUser, Secret};
use super::lookup::{exists, report_invalid, unknown_user};
use super::new_account::{hash, new_account};
use crate::cli::bounded::{self, ReadError};
use crate::cli::exit::{Failure, complain, sysexits};
use crate::cli::output;
use crate::cli::whole_file;

/// The longest file of users, in bytes: about 500,000 users with their hashes.
const LONGEST_IMPORT: usize = 64 << 20;

/// Adds the users and rules of a file, all or none.
pub(super) fn import(db: &mut Db, path: &Path) -> Result<(), Failure> {
    let named = |error: String| format!("{}: {error}", path.display());
    let wrong = |error: String| Failure::new(sysexits::DATAERR, named(error));
    let text = bounded::read_text(path, LONGEST_IMPORT)
        .map_err(|error: ReadError| Failure::new(error.code(), named(error.to_string())))?;
    let file = file::read(&text).map_err(|error| wrong(error.to_string()))?;
    check_names(db, &file, wrong)?;
    let ImportFile { users, rules } = file;
    let accounts: Vec<Account> = users
        .into_iter()
        .map(|ImportedUser { name, role, secret }| {
            let phc = match secret {
                Secret::Hash(phc) => phc,
                Secret::Password(password) => hash(&password)?,
            };
            Ok(new_account(name, phc, role))
        })
        .collect::<Result<_, Failure>>()?;
    let rules: Vec<AccountRule> = rules.into_iter().map(|imported| imported.rule).collect();
    let new = db.import(&accounts, &rules)?;
    let rules_added = match rules.len() {
        0 => String::new(),
        _ => format!(", {new} rules added"),
    };
    complain(&format!("{} users added{rules_added}", accounts.len()));
    Ok(())
}

/// Checks that no user of the file exists, and that each rule is for a user of the file or for one
/// that exists. Passwords are hashed only after that.
fn check_names(
    db: &mut Db,
    file: &ImportFile,
    wrong: impl Fn(String) -> Failure,
) -> Result<(), Failure> {
    let mut existing = Vec::new();
    for user in &file.users {
        if db.contains(&user.name)? {
            existing.push(user.name.clone());
        }
    }
    if !existing.is_empty() {
        return Err(exists(&existing));
    }
    let mut known: HashSet<UserName> = file.users.iter().map(|user| user.name.clone()).collect();
    for ImportedRule { number, rule } in &file.rules {
        let RuleScope::Account(user) = &rule.scope else {
            continue;
        };
        if known.contains(user) {
            continue;
        }
        if !db.contains(user)? {
            return Err(wrong(format!("line {number}: {}", unknown_user(user))));
        }
        known.insert(user.clone());
    }
    Ok(())
}

/// Writes every user and rule in the form that [`import`] reads. Invalid rows are left out.
///
/// # Errors
/// The file cannot be written, or the database has invalid rows; then the valid ones were written.
pub(super) fn export(db: &mut Db, path: Option<&Path>) -> Result<u8, Failure> {
    let (accounts, rules) = db.accounts_and_rules()?;
    let mut text = String::new();
    for account in &accounts.valid {
        let name = account.name.as_str();
        // Without the tab the line would be a comment.
        let tab = if name.starts_with('#') { "\t" } else { "" };
        text += &format!("{tab}{name}\t{}\t{}\n", account.role, account.phc);
    }
    for AccountRule { scope, rule } in &rules.valid {
        text += &format!("{}\t{}\t{}", rule.effect, rule.kind, rule.pattern);
        if let RuleScope::Account(user) = scope {
            text += &format!("\t{user}");
        }
        text.push('\n');
    }
    let code = match path {
        None => output::print(&text)?,
        Some(path) => {
            let write = |out: &mut dyn Write| out.write_all(text.as_bytes());
            let written = whole_file::replace_private(path, write);
            written.map_err(|error| {
                let message = format!("{}: {error}", path.display());
                Failure::new(sysexits::CANTCREAT, message)
            })?;
            0
        }
    };
    report_invalid(&accounts.invalid)?;
    report_invalid(&rules.invalid)?;
    Ok(code)
}

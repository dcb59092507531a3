//! `arauto users`: lists and changes the accounts in a data folder and the rules for them, while a
//! server uses it or not. A running server applies a change at the next login, and to live sessions
//! within 5 s.

mod file;
mod lookup;
mod new_account;
mod rules;
mod transfer;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use arauto::internal::accounts::{Account, AccountRows, Db};
use arauto::internal::topic::Effect;
use arauto::{Role, StoreError, UserName};
use clap::Subcommand;
use serde_json::json;

use self::lookup::{check_known, exists, parse_name, report_invalid};
use self::new_account::{ask, new_account};
use self::rules::RuleArgs;
use super::escape::one_line;
use super::exit::{Failure, sysexits};
use super::os::default_data_folder;
use super::output::Output;
use super::password::PasswordArgs;
use super::table::plain_table;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The server's data folder [default: as for `arauto serve`].
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the users, their roles and their registration times.
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Add a user.
    Add {
        /// The user's name.
        name: String,
        /// The user's role: leitor, escritor or admin.
        #[arg(long, default_value = "escritor")]
        role: Role,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Change a user's password. Sessions that logged in with the old password end.
    Passwd {
        /// The user's name.
        name: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Change a user's role, also for live sessions.
    Role {
        /// The user's name.
        name: String,
        /// The user's role: leitor, escritor or admin.
        role: Role,
    },
    /// Remove a user and the rules for it. The user's sessions end within 5 s. On endpoints with open registration
    /// the name can be registered again.
    Remove {
        /// The user's name.
        name: String,
    },
    /// Allow uses that match a pattern. Uses of the same kind that no allow rule matches are then
    /// refused.
    ///
    /// This version applies rules of the kind publish. It stores rules of the other kinds without
    /// applying them.
    ///
    /// A publish is refused if a deny rule for the account or for all accounts matches. Otherwise,
    /// if there are allow rules, one of them must match, and the role does not matter. Otherwise
    /// the role decides. A change counts for live sessions within 5 s.
    #[command(override_usage = "arauto users allow [OPTIONS] <NAME|--all> <KIND> <PATTERN>")]
    Allow(RuleArgs),
    /// Deny uses that match a pattern, to every role; see `arauto users allow --help`.
    #[command(override_usage = "arauto users deny [OPTIONS] <NAME|--all> <KIND> <PATTERN>")]
    Deny(RuleArgs),
    /// Remove the rules that allow and deny a pattern.
    #[command(override_usage = "arauto users forget [OPTIONS] <NAME|--all> <KIND> <PATTERN>")]
    Forget(RuleArgs),
    /// Print all rules, or those that apply to one user.
    Rules {
        /// The user's name; the rules for all accounts are printed too.
        name: Option<String>,
        /// Print one JSON object per line. `user` is null in rules for all accounts.
        #[arg(long)]
        json: bool,
    },
    /// Add the users and rules in a file, all or none.
    ///
    /// Each line is a user: NAME, ROLE and PASSWORD, separated by tabs; the password can be an
    /// argon2id hash ($argon2id$…). Or a rule: `allow` or `deny`, KIND, PATTERN and, for one
    /// account, NAME. Empty lines and lines that begin with # are skipped; a tab at the start of a
    /// line keeps a name that begins with # from being skipped.
    Import {
        /// The file, in UTF-8; `-` is stdin.
        file: PathBuf,
    },
    /// Print all users, with the hashes of their passwords, and all rules, as `import` reads them.
    Export {
        /// The file to write, readable by its owner only [default: stdout].
        file: Option<PathBuf>,
    },
}

pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let folder = args.data.clone().unwrap_or_else(default_data_folder);
    let makes_accounts = matches!(args.command, Command::Add { .. } | Command::Import { .. });
    if !makes_accounts && !folder.join("arauto.db").exists() {
        let message = format!(
            "no accounts in {}: give the server's data folder with --data",
            folder.display()
        );
        return Err(Failure::new(sysexits::NOINPUT, message));
    }
    let open = || arauto::internal::open_data_folder(&folder)?.database();
    let path = open().map_err(|error| Failure::new(sysexits::CANTCREAT, error.to_string()))?;
    let mut db = Db::open(&path)?;
    match &args.command {
        Command::List { json } => return list(&mut db, *json),
        Command::Add {
            name,
            role,
            password,
        } => add(&mut db, name, *role, password)?,
        Command::Passwd { name, password } => {
            let name = parse_name(name)?;
            check_known(&name, db.contains(&name)?)?;
            let phc = ask(password, &format!("new password of {name}: "))?;
            check_known(&name, db.set_password(&name, &phc)?)?;
        }
        Command::Role { name, role } => {
            let name = parse_name(name)?;
            check_known(&name, db.set_role(&name, *role)?)?;
        }
        Command::Remove { name } => {
            let user = parse_name(name);
            let removed = match &user {
                Ok(user) => db.remove(user)?,
                Err(_) => false,
            };
            // A row may have an invalid name, or one that is not normalized.
            if !removed && !db.remove_unnameable(name)? {
                check_known(&user?, false)?;
            }
        }
        Command::Allow(rule) => rules::add(&mut db, rule, Effect::Allow)?,
        Command::Deny(rule) => rules::add(&mut db, rule, Effect::Deny)?,
        Command::Forget(rule) => rules::forget(&mut db, rule)?,
        Command::Rules { name, json } => return rules::list(&mut db, name.as_deref(), *json),
        Command::Import { file } => transfer::import(&mut db, file)?,
        Command::Export { file } => return transfer::export(&mut db, file.as_deref()),
    }
    Ok(0)
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::NotCreated { source, .. } if is_refused(source) => sysexits::CANTCREAT,
            StoreError::NotCreated { .. } | StoreError::Failed { .. } => sysexits::IOERR,
            StoreError::Changed(_) => sysexits::TEMPFAIL,
            _ => sysexits::DATAERR,
        };
        Failure::new(code, error.to_string())
    }
}

/// Whether the system does not let this user write there.
fn is_refused(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem)
}

fn list(db: &mut Db, as_json: bool) -> Result<u8, Failure> {
    let AccountRows { valid, invalid } = db.accounts()?;
    let mut out = Output::stdout();
    if as_json {
        for account in &valid {
            let user = account.name.as_str();
            let (role, created) = (account.role, account.created);
            out.json(&json!({"user": user, "role": role, "created": created}))?;
        }
    } else {
        let mut table = plain_table(["user", "role", "registered"]);
        for account in &valid {
            let created = UNIX_EPOCH + Duration::from_millis(account.created.0);
            table.add_row([
                one_line(account.name.as_str()).into_owned(),
                account.role.to_string(),
                humantime::format_rfc3339_seconds(created).to_string(),
            ]);
        }
        out.text(&format!("{table}\n"))?;
    }
    let code = out.finish()?;
    report_invalid(&invalid)?;
    Ok(code)
}

fn add(db: &mut Db, name: &str, role: Role, password: &PasswordArgs) -> Result<(), Failure> {
    let name = parse_name(name)?;
    if db.contains(&name)? {
        return Err(exists(&[name]));
    }
    let phc = ask(password, &format!("password of {name}: "))?;
    insert(db, &[new_account(name, phc, role)])
}

fn insert(db: &mut Db, accounts: &[Account]) -> Result<(), Failure> {
    let added = db.insert(accounts)?;
    let existing = accounts.iter().zip(added).filter(|(_, added)| !added);
    let existing: Vec<UserName> = existing.map(|(account, _)| account.name.clone()).collect();
    if existing.is_empty() {
        return Ok(());
    }
    Err(exists(&existing))
}

//! `arauto users`: lists and changes the accounts in a data folder, while a server uses it or
//! not. A running server applies a change at the next login, and to live sessions within 5 s.

mod file;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use arauto::internal::accounts::{Account, AccountRows, Db, Hasher, Password};
use arauto::{HashCost, StoreError, UserName};
use arauto::{Millis, Role};
use clap::Subcommand;
use serde_json::json;

use self::file::{ImportedUser, Secret};
use super::bounded::{self, ReadError};
use super::escape::one_line;
use super::exit::{Failure, complain, sysexits};
use super::os::default_data_folder;
use super::output::Output;
use super::password::PasswordArgs;
use super::table::plain_table;

/// The longest file of users, in bytes: about 500,000 users with their hashes.
const LONGEST_IMPORT: usize = 64 << 20;

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
    /// Remove a user. The user's sessions end within 5 s. On endpoints with open registration
    /// the name can be registered again.
    Remove {
        /// The user's name.
        name: String,
    },
    /// Add the users in a file, all or none. Each line is NAME, ROLE and PASSWORD, separated by
    /// tabs; the password can be an argon2id hash ($argon2id$…). Empty lines and lines that
    /// begin with # are skipped.
    Import {
        /// The file, in UTF-8; `-` is stdin.
        file: PathBuf,
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
        Command::Import { file } => import(&mut db, file)?,
    }
    Ok(0)
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::NotCreated { source, .. } if is_refused(source) => sysexits::CANTCREAT,
            StoreError::NotCreated { .. } | StoreError::Failed { .. } => sysexits::IOERR,
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

fn parse_name(name: &str) -> Result<UserName, Failure> {
    UserName::parse(name)
        .map_err(|error| Failure::new(sysexits::USAGE, format!("{name:?}: {error}")))
}

fn check_known(name: &UserName, is_known: bool) -> Result<(), Failure> {
    if is_known {
        return Ok(());
    }
    let message = format!("there is no user {name}; `arauto users list` prints all users");
    Err(Failure::new(sysexits::DATAERR, message))
}

fn ask(password: &PasswordArgs, prompt: &str) -> Result<String, Failure> {
    let password = Password::parse(&password.password(prompt)?)
        .map_err(|error| Failure::new(sysexits::DATAERR, error.to_string()))?;
    hash(&password)
}

fn hash(password: &Password) -> Result<String, Failure> {
    let hasher = Hasher::new(HashCost::default()).expect("the default cost is valid");
    hasher
        .hash(password)
        .map_err(|error| Failure::new(sysexits::DATAERR, error.to_string()))
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
    let Some(first) = invalid.first() else {
        return Ok(code);
    };
    let others = match invalid.len() - 1 {
        0 => String::new(),
        others => format!(" (and {others} more)"),
    };
    Err(Failure::new(sysexits::DATAERR, format!("{first}{others}")))
}

fn add(db: &mut Db, name: &str, role: Role, password: &PasswordArgs) -> Result<(), Failure> {
    let name = parse_name(name)?;
    if db.contains(&name)? {
        return Err(exists(&[name]));
    }
    let phc = ask(password, &format!("password of {name}: "))?;
    insert(db, &[new_account(name, phc, role)])
}

fn new_account(name: UserName, phc: String, role: Role) -> Account {
    Account {
        name,
        phc,
        role,
        created: Millis::now(),
    }
}

fn exists(names: &[UserName]) -> Failure {
    let names: Vec<&str> = names.iter().map(UserName::as_str).collect();
    let message = format!(
        "the user {} exists already; change it with `arauto users passwd` and `arauto users role`",
        names.join(", ")
    );
    Failure::new(sysexits::DATAERR, message)
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

fn import(db: &mut Db, path: &Path) -> Result<(), Failure> {
    let named = |error: String| format!("{}: {error}", path.display());
    let text = bounded::read_text(path, LONGEST_IMPORT)
        .map_err(|error: ReadError| Failure::new(error.code(), named(error.to_string())))?;
    let users = file::read(&text)
        .map_err(|error| Failure::new(sysexits::DATAERR, named(error.to_string())))?;
    let mut existing = Vec::new();
    for user in &users {
        if db.contains(&user.name)? {
            existing.push(user.name.clone());
        }
    }
    if !existing.is_empty() {
        return Err(exists(&existing));
    }
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
    insert(db, &accounts)?;
    complain(&format!("{} users added", accounts.len()));
    Ok(())
}

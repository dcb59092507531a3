//! `arauto users`: the accounts, whether the server runs or not. A running server
//! sees what changed at the next login, and for live sessions within 5 s.

mod file;

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use arauto::internal::accounts::{Account, AccountRows, Db, Hasher, Password};
use arauto::{HashCost, StoreError, UserName};
use arauto::{Millis, Role};
use clap::Subcommand;
use serde_json::json;

use self::file::{Newcomer, Secret};
use super::bounded::{self, ReadError};
use super::exit::{Failure, complain, sysexits};
use super::os::default_data_folder;
use super::output::{Output, one_line};
use super::password::PasswordArgs;
use super::table::plain_table;

/// The longest file of users, in bytes: some 500,000 of them with their hashes.
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
    /// Print the users, their roles and when they registered.
    List {
        /// Print one JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Add a user.
    Add {
        /// The user's name.
        name: String,
        /// What the user may do: leitor, escritor or admin.
        #[arg(long, default_value = "escritor")]
        role: Role,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Give a user a new password. The sessions that logged in with the old one end.
    Passwd {
        /// The user's name.
        name: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Give a user a role. It counts for live sessions too.
    Role {
        /// The user's name.
        name: String,
        /// What the user may do: leitor, escritor or admin.
        role: Role,
    },
    /// Take a user away. The user's sessions end within 5 s; where an endpoint's
    /// registration is open, the name can be registered again.
    Remove {
        /// The user's name.
        name: String,
    },
    /// Add the users of a file, all or none: a line each, NAME, ROLE and PASSWORD
    /// with tabs between; the password can be an argon2id hash ($argon2id$…).
    /// Empty lines and those that begin with # are passed over.
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
            "no accounts in {}: name the server's data folder with --data",
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
            known(&name, db.contains(&name)?)?;
            let phc = ask(password, &format!("new password of {name}: "))?;
            known(&name, db.set_password(&name, &phc)?)?;
        }
        Command::Role { name, role } => {
            let name = parse_name(name)?;
            known(&name, db.set_role(&name, *role)?)?;
        }
        Command::Remove { name } => {
            let user = parse_name(name);
            let removed = match &user {
                Ok(user) => db.remove(user)?,
                Err(_) => false,
            };
            // A row may have a name that no user can have, or spell one otherwise.
            if !removed && !db.remove_unnameable(name)? {
                known(&user?, false)?;
            }
        }
        Command::Import { file } => import(&mut db, file)?,
    }
    Ok(0)
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Failed { .. } => sysexits::IOERR,
            _ => sysexits::DATAERR,
        };
        Failure::new(code, error.to_string())
    }
}

fn parse_name(name: &str) -> Result<UserName, Failure> {
    UserName::parse(name)
        .map_err(|error| Failure::new(sysexits::USAGE, format!("{name:?}: {error}")))
}

fn known(name: &UserName, found: bool) -> Result<(), Failure> {
    if found {
        return Ok(());
    }
    let message = format!("no user {name}: see `arauto users list`");
    Err(Failure::new(sysexits::DATAERR, message))
}

fn ask(password: &PasswordArgs, prompt: &str) -> Result<String, Failure> {
    let password = Password::parse(&password.password(prompt)?)
        .map_err(|error| Failure::new(sysexits::DATAERR, error.to_string()))?;
    hash(&password)
}

fn hash(password: &Password) -> Result<String, Failure> {
    let hasher = Hasher::new(HashCost::default()).expect("the default cost is one");
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
        "there is a user {} already: `arauto users passwd` and `role` change one",
        names.join(", ")
    );
    Failure::new(sysexits::DATAERR, message)
}

fn insert(db: &mut Db, accounts: &[Account]) -> Result<(), Failure> {
    let added = db.insert(accounts)?;
    let late = accounts.iter().zip(added).filter(|(_, added)| !added);
    let late: Vec<UserName> = late.map(|(account, _)| account.name.clone()).collect();
    if late.is_empty() {
        return Ok(());
    }
    Err(exists(&late))
}

fn import(db: &mut Db, path: &Path) -> Result<(), Failure> {
    let named = |error: String| format!("{}: {error}", path.display());
    let text = bounded::read_text(path, LONGEST_IMPORT)
        .map_err(|error: ReadError| Failure::new(error.code(), named(error.to_string())))?;
    let newcomers = file::read(&text)
        .map_err(|error| Failure::new(sysexits::DATAERR, named(error.to_string())))?;
    let mut known = Vec::new();
    for newcomer in &newcomers {
        if db.contains(&newcomer.name)? {
            known.push(newcomer.name.clone());
        }
    }
    if !known.is_empty() {
        return Err(exists(&known));
    }
    let accounts: Vec<Account> = newcomers
        .into_iter()
        .map(|Newcomer { name, role, secret }| {
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

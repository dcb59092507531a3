//! `arauto backup` and `arauto restore`: copy a data folder's database.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use arauto::Seq;
use arauto::backup::{Copied, CopiedStream, CopyError, restore};
use arauto::internal::journal::{back_up_at_least, head};
use serde_json::json;

use super::exit::{Failure, complain, sysexits};
use super::os::default_data_folder;
use super::output::Output;

/// How often the newest seq is read while a backup waits for one.
const HEAD_INTERVAL: Duration = Duration::from_millis(50);

#[derive(clap::Args)]
pub(super) struct BackupArgs {
    /// The server's data folder [default: as for `arauto serve`].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Wait until the journal has this seq, so that the copy has the broadcasts up to it.
    #[arg(long, value_name = "SEQ")]
    at_least: Option<u64>,

    /// How long --at-least waits.
    #[arg(long, value_name = "TIME", default_value = "10s", requires = "at_least",
          value_parser = humantime::parse_duration)]
    timeout: Duration,

    /// Print what the copy has as one JSON object.
    #[arg(long)]
    json: bool,

    /// The file for the copy; it must not exist yet.
    file: PathBuf,
}

#[derive(clap::Args)]
pub(super) struct RestoreArgs {
    /// The server's data folder [default: as for `arauto serve`].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Replace a database that exists already; the old one is kept beside it.
    #[arg(long)]
    replace: bool,

    /// The copy to restore.
    file: PathBuf,
}

/// Copies the database of a server, which may be running.
pub(super) fn run_backup(args: &BackupArgs) -> Result<u8, Failure> {
    let folder = args.data.clone().unwrap_or_else(default_data_folder);
    let database = folder.join("arauto.db");
    check_exists(&database)?;
    let least = Seq(args.at_least.unwrap_or_default());
    wait_for_head(&database, least, args.timeout)?;
    let copied = back_up_at_least(&database, &args.file, least)?;
    if !args.json {
        print_summary("backed up", &copied, &args.file);
        return Ok(0);
    }
    let stream = copied.stream.as_ref();
    let object = json!({
        "file": args.file.display().to_string(),
        "accounts": copied.accounts,
        "rules": copied.rules,
        "stream": stream.map(|stream| &stream.name),
        "from": stream.map(|stream| stream.first),
        "to": stream.map(|stream| stream.head),
    });
    let mut out = Output::stdout();
    let printed = out.json(&object).and_then(|()| out.finish());
    printed.map_err(|failure| failure.with(&format!("the copy {} is made", args.file.display())))
}

/// Waits until the database's stream has the seq `least`, at most `timeout`.
///
/// # Errors
/// It does not have the seq in time, or cannot be read.
fn wait_for_head(database: &Path, least: Seq, timeout: Duration) -> Result<(), Failure> {
    if least == Seq::ZERO {
        return Ok(());
    }
    let begun = Instant::now();
    loop {
        let head = head(database)?;
        if head.is_some_and(|head| head >= least) {
            return Ok(());
        }
        let left = timeout.saturating_sub(begun.elapsed());
        if left.is_zero() {
            let path = database.to_owned();
            return Err(CopyError::NotReached { path, head, least }.into());
        }
        thread::sleep(left.min(HEAD_INTERVAL));
    }
}

/// Restores a copy into the folder of a server, which must not be running.
pub(super) fn run_restore(args: &RestoreArgs) -> Result<u8, Failure> {
    let folder = args.data.clone().unwrap_or_else(default_data_folder);
    check_exists(&args.file)?;
    let opened = arauto::internal::open_data_folder(&folder).map_err(CopyError::from)?;
    let copied = restore(&args.file, &opened, args.replace)?;
    print_summary("restored", &copied, &folder);
    if let Some(replaced) = &copied.replaced {
        complain(&format!(
            "the old database was kept as {}",
            replaced.display()
        ));
    }
    Ok(0)
}

/// Checks that there is a file.
///
/// # Errors
/// There is none, or it cannot be looked at.
pub(super) fn check_exists(path: &Path) -> Result<(), Failure> {
    std::fs::metadata(path).map(drop).map_err(|error| {
        let message = format!("{}: {error}", path.display());
        Failure::new(sysexits::NOINPUT, message)
    })
}

fn print_summary(action: &str, copied: &Copied, to: &Path) {
    let contents = contents(copied.accounts, copied.rules, copied.stream.as_ref());
    complain(&format!("{action}: {contents}, to {}", to.display()));
}

/// Returns what a database has, as a phrase.
pub(super) fn contents<N: Display + PartialEq + From<u8>>(
    accounts: N,
    rules: N,
    stream: Option<&CopiedStream>,
) -> String {
    let rules = match rules == N::from(0) {
        true => String::new(),
        false => format!(", {rules} rules"),
    };
    let stream = match stream {
        None => "no journal".to_owned(),
        Some(CopiedStream {
            name, first, head, ..
        }) if head < first => {
            format!("the stream {name}, at seq {head} without broadcasts")
        }
        Some(CopiedStream {
            name, first, head, ..
        }) => {
            format!("the stream {name}, seq {first} to {head}")
        }
    };
    format!("{accounts} accounts{rules}, {stream}")
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        let code = match error {
            CopyError::Store(error) => return error.into(),
            CopyError::Folder(arauto::FolderError::InUse(_)) | CopyError::NotReached { .. } => {
                sysexits::TEMPFAIL
            }
            CopyError::BadImport(_) => sysexits::DATAERR,
            _ => sysexits::CANTCREAT,
        };
        Failure::new(code, error.to_string())
    }
}

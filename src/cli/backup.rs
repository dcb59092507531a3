//! `arauto backup` and `arauto restore`: copy a data folder's database.

use std::path::{Path, PathBuf};

use arauto::backup::{Copied, CopyError, back_up, restore};

use super::exit::{Failure, complain, sysexits};
use super::os::default_data_folder;

#[derive(clap::Args)]
pub(super) struct BackupArgs {
    /// The server's data folder [default: as for `arauto serve`].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

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
    let copied = back_up(&database, &args.file)?;
    print_summary("backed up", &copied, &args.file);
    Ok(0)
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

fn check_exists(path: &Path) -> Result<(), Failure> {
    std::fs::metadata(path).map(drop).map_err(|error| {
        let message = format!("{}: {error}", path.display());
        Failure::new(sysexits::NOINPUT, message)
    })
}

fn print_summary(action: &str, copied: &Copied, to: &Path) {
    let accounts = copied.accounts;
    let rules = match copied.rules {
        0 => String::new(),
        rules => format!(", {rules} rules"),
    };
    let stream = copied.stream.as_ref().map_or_else(String::new, |stream| {
        let (name, first, head) = (&stream.name, stream.first, stream.head);
        format!(" and the stream {name}, seq {first} to {head},")
    });
    complain(&format!(
        "{action}: {accounts} accounts{rules}{stream} to {}",
        to.display()
    ));
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        let code = match error {
            CopyError::Store(error) => return error.into(),
            CopyError::Folder(arauto::FolderError::InUse(_)) => sysexits::TEMPFAIL,
            _ => sysexits::CANTCREAT,
        };
        Failure::new(code, error.to_string())
    }
}

//! `arauto man`: the manual pages, one for the program and one for each command.
//!
//! clap knows names, options and commands; the other sections stand in [`sections`].

mod page;
mod sections;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Command;

use self::page::page;
use super::exit::{Failure, sysexits};
use super::output::print;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Write all pages into this folder, as arauto.1, arauto-serve.1 and so on; without it the page
    /// arauto(1) is printed.
    dir: Option<PathBuf>,
}

/// Prints the page of `command`, the whole program, or writes all pages.
///
/// # Errors
/// stdout or a file cannot be written.
pub(super) fn run(args: &Args, command: Command) -> Result<u8, Failure> {
    let mut command = command.disable_help_subcommand(true);
    command.build(); // names the pages of subcommands
    match &args.dir {
        None => print(&page(&command, None)),
        Some(folder) => write_all(&command, None, folder).map(|()| 0),
    }
}

/// Writes the page of a command, and those of its subcommands.
fn write_all(command: &Command, parent: Option<&Command>, folder: &Path) -> Result<(), Failure> {
    let path = folder.join(format!("{}.1", page::name(command)));
    write(&path, &page(command, parent)).map_err(|error| {
        let message = format!("the page {}: {error}", path.display());
        Failure::new(sysexits::CANTCREAT, message)
    })?;
    let mut shown = command.get_subcommands().filter(|one| !one.is_hide_set());
    shown.try_for_each(|one| write_all(one, Some(command), folder))
}

/// Writes a file with the mode that the umask gives: pages are for all users.
fn write(path: &Path, text: &str) -> io::Result<()> {
    File::create(path)?.write_all(text.as_bytes())
}

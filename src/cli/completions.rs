//! `arauto completions`: prints a script by which a shell completes the command line.

use clap::Command;
use clap_complete::Shell;

use super::exit::Failure;
use super::output::print;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The shell.
    shell: Shell,
}

/// Prints the script for the commands and flags of `command`, the whole program's.
///
/// # Errors
/// stdout cannot be written.
pub(super) fn run(args: &Args, mut command: Command) -> Result<u8, Failure> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    print(&String::from_utf8_lossy(&script))
}

//! The real binary, from a shell.

#[cfg(unix)] // the command is not there elsewhere
mod bench;
#[cfg(unix)] // its files have modes
mod check;
mod clients;
mod completions;
mod console;
mod demo;
mod leitor;
#[cfg(unix)]
mod lines;
#[cfg(unix)]
mod listening;
mod man;
#[cfg(unix)]
mod outputs;
#[cfg(unix)]
mod prompt;
#[cfg(unix)] // with socat at the other end; Windows has tests/win32 there
mod raw;
mod serve;
#[cfg(unix)]
mod silent;
#[cfg(unix)]
mod system_limits;
#[cfg(unix)]
mod terminals;
mod usage;
mod users;
#[cfg(unix)]
mod whole_files;

#[cfg(unix)]
use std::path::Path;
#[cfg(unix)]
use std::process::Command;

#[cfg(unix)]
use crate::support::{arauto, os};

/// Makes a command of a server in memory with a console, on an endpoint in this folder. Returns the
/// endpoint too.
#[cfg(unix)]
fn serve_with_console(folder: &Path) -> (Command, String) {
    let endpoint = os::endpoint(folder, "s").to_string();
    let mut command = arauto(&["serve", "--console", "--data", "none", "--listen"]);
    command.arg(&endpoint);
    (command, endpoint)
}

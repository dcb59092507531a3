//! systemd: the units of packaging/systemd, sockets that are passed, notices, and the journal.
//!
//! systemd itself does not run here. Its tools check the units, and the tests act as the service
//! manager.

mod activation;
mod journal;
mod notices;
mod notify_socket;
mod passing;
mod start_command;
mod system_calls;
mod unit_file;
mod units;
mod watchdog;

use std::process::{Command, Stdio};

/// Returns whether a tool of systemd is installed. Prints if it is not.
fn has_tool(name: &str) -> bool {
    let tried = Command::new(name)
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    let is_there = tried.is_ok_and(|status| status.success());
    if !is_there {
        let required = std::env::var_os("ARAUTO_REQUIRE_TOOLS").is_some();
        assert!(!required, "{name} must be installed");
        eprintln!("SKIPPED: {name} is not installed");
    }
    is_there
}

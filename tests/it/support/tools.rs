//! Programs that tests need and that not every machine has.

use std::process::{Command, Stdio};

/// Returns whether a program is installed that knows `--version`. Prints if it is not.
///
/// # Panics
/// It is not, and the environment's `ARAUTO_REQUIRE_TOOLS` makes that a failure.
pub fn has_tool(name: &str) -> bool {
    let tried = Command::new(name)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let is_there = tried.is_ok_and(|status| status.success());
    if !is_there {
        let required = std::env::var_os("ARAUTO_REQUIRE_TOOLS").is_some();
        assert!(!required, "{name} must be installed");
        eprintln!("SKIPPED: {name} is not installed");
    }
    is_there
}

//! `arauto serve --print-config`: prints configurations as config files, and starts no server.

mod effective;
mod template;

use std::path::Path;

use crate::cli::descriptors::fit_sessions;
use crate::cli::exit::Failure;
use crate::cli::output::print;
use crate::cli::settings::sources::Flags;

/// The configuration to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum PrintConfig {
    /// The configuration that the server would have.
    Effective,
    /// Every setting with its default, as comments.
    Default,
}

/// Prints a configuration.
///
/// # Errors
/// The configuration is wrong: the error is that of a server that starts with it.
pub(super) fn run(which: PrintConfig, flags: Flags, file: Option<&Path>) -> Result<u8, Failure> {
    if which == PrintConfig::Default {
        return print(&template::text()?);
    }
    let resolved = flags.resolve(file)?;
    let given = resolved.settings.config()?;
    let mut config = given.clone();
    fit_sessions(&resolved.settings, &mut config);
    print(&effective::text(&resolved, &given, &config)?)
}

//! How a service manager starts a server: as a shell does.

use crate::cli::exit::Failure;

/// The flags with which a service manager starts a server. There are none here.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(in crate::cli) struct ServiceFlag {}

/// Runs a server on this thread.
///
/// # Errors
/// Those of the server.
pub(in crate::cli) fn run_server(
    _flag: ServiceFlag,
    server: impl FnOnce() -> Result<u8, Failure> + Send + 'static,
) -> Result<u8, Failure> {
    server()
}

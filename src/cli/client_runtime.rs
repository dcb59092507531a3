//! The runtime of a client's command.

use super::exit::Failure;
use super::resources::{self, Requirements};

/// Runs a client's command on a runtime on this thread.
pub(super) fn client(command: impl Future<Output = Result<u8, Failure>>) -> Result<u8, Failure> {
    resources::check(Requirements::CLIENT)?;
    let runtime = resources::runtime()?;
    let outcome = runtime.block_on(command);
    // Does not wait for a thread that still reads the terminal.
    runtime.shutdown_background();
    outcome
}

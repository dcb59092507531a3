//! The thread that does a client's network I/O.
//!
//! The command's own thread may block on its output: a pipe that nobody reads, or a terminal
//! that is stopped. The session must go on and send pings meanwhile, or the server ends it.

use std::sync::OnceLock;
use std::thread;

use tokio::runtime::{Builder, Handle};

use super::exit::{Failure, sysexits};

/// Runs `work`, and the tasks that it spawns, on the network thread. That thread runs until the
/// process ends.
///
/// # Errors
/// The thread cannot be started, or `work` panicked.
pub(super) async fn on_network<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Failure> {
    static NETWORK: OnceLock<Handle> = OnceLock::new();
    let network = match NETWORK.get() {
        Some(network) => network,
        None => {
            let started = start().map_err(|error| {
                Failure::new(sysexits::OSERR, format!("cannot start a thread: {error}"))
            })?;
            NETWORK.get_or_init(|| started)
        }
    };
    let done = network.spawn(work).await;
    done.map_err(|error| Failure::new(sysexits::SOFTWARE, error.to_string()))
}

fn start() -> std::io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("network".to_owned())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(handle)
}

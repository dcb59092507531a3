//! Checks, when a command starts, that the system has the resources that it needs.
//!
//! The libraries that it uses panic if they get no thread or no descriptor. With this check a
//! command under a limit that is too low fails with an error message instead.

use std::io;
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::runtime::{Builder, Runtime};

use super::exit::{Failure, sysexits};
use super::os;

/// The resources that a command needs at least.
#[derive(Debug, Clone, Copy)]
pub(super) struct Requirements {
    pub(super) threads: usize,
    pub(super) descriptors: usize,
}

impl Requirements {
    /// A client: a runtime, a connection and files; a thread for its input, one to resolve
    /// host names.
    pub(super) const CLIENT: Requirements = Requirements {
        threads: 2,
        descriptors: 12,
    };

    /// A server with this many arbiters and listeners. Each arbiter has a runtime; other threads
    /// are for the log, the store, the console and blocking work.
    pub(super) fn server(arbiters: usize, listeners: usize) -> Requirements {
        Requirements {
            threads: 6 + arbiters.min(64),
            descriptors: 24 + 5 * arbiters.min(64) + listeners.min(1024),
        }
    }
}

/// Checks that these resources are available.
///
/// # Errors
/// The system does not have enough of them.
pub(super) fn check(requirements: Requirements) -> Result<(), Failure> {
    let Requirements {
        threads,
        descriptors,
    } = requirements;
    os::has_descriptors(descriptors).map_err(|error| {
        let message = format!(
            "cannot open the {descriptors} file descriptors that this command needs: {error}; \
             raise the limit (ulimit -n)"
        );
        Failure::new(sysexits::OSERR, message)
    })?;
    has_threads(threads).map_err(|error| {
        let message = format!(
            "cannot start the {threads} threads that this command needs: {error}; raise the \
             limits (ulimit -u, ulimit -v)"
        );
        Failure::new(sysexits::OSERR, message)
    })
}

/// Checks that this many threads can exist at once, by starting them.
fn has_threads(count: usize) -> io::Result<()> {
    let mut started = Vec::with_capacity(count);
    let mut outcome = Ok(());
    let all = Arc::new(Mutex::new(()));
    let held = all.lock();
    for _ in 0..count {
        let all = Arc::clone(&all);
        match thread::Builder::new().spawn(move || drop(all.lock())) {
            Ok(thread) => started.push(thread),
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    drop(held);
    for thread in started {
        let _ = thread.join(); // it cannot panic: it only waited for the lock
    }
    outcome
}

/// Creates a single-threaded runtime.
///
/// # Errors
/// The system has no descriptors for it.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(sysexits::OSERR, format!("cannot create a runtime: {error}")))
}

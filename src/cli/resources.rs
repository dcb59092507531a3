//! Checks the system resources that a command needs at its start.
//!
//! The libraries below panic where the system has no thread or descriptor for them. So a
//! command asks first: at a limit that is too low it fails with a line that says so.

use std::io;
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::runtime::{Builder, Runtime};

use super::exit::{Failure, sysexits};
use super::os;

/// The resources that a command takes at least.
#[derive(Debug, Clone, Copy)]
pub(super) struct Requirements {
    pub(super) threads: usize,
    pub(super) descriptors: usize,
}

impl Requirements {
    /// A client: its runtime, a connection, files; a thread for its input, one for names.
    pub(super) const CLIENT: Requirements = Requirements {
        threads: 2,
        descriptors: 12,
    };

    /// A server with so many arbiters and listeners: each arbiter has a runtime. Threads
    /// are those of the log, the store, the console, and of work that blocks.
    pub(super) fn server(arbiters: usize, listeners: usize) -> Requirements {
        Requirements {
            threads: 6 + arbiters.min(64),
            descriptors: 24 + 5 * arbiters.min(64) + listeners.min(1024),
        }
    }
}

/// Checks that the system can give these resources.
///
/// # Errors
/// The system has too few of them.
pub(super) fn check(requirements: Requirements) -> Result<(), Failure> {
    let Requirements {
        threads,
        descriptors,
    } = requirements;
    os::has_descriptors(descriptors).map_err(|error| {
        let message = format!(
            "the system does not give this command the {descriptors} file descriptors that it \
             needs at least: {error}; raise the limit (ulimit -n)"
        );
        Failure::new(sysexits::OSERR, message)
    })?;
    has_threads(threads).map_err(|error| {
        let message = format!(
            "the system does not give this command the {threads} threads that it needs at \
             least: {error}; raise the limits (ulimit -u, ulimit -v)"
        );
        Failure::new(sysexits::OSERR, message)
    })
}

/// Whether so many threads can be there at once.
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
        let _ = thread.join(); // it only waited
    }
    outcome
}

/// A runtime of this thread.
///
/// # Errors
/// The system has none to give.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(sysexits::OSERR, format!("no runtime: {error}")))
}

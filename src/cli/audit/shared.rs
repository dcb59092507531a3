//! The state that sessions, the writer and the admin endpoint share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::pending::Pending;

/// The audit log's state, and the place to wait for its changes.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) path: PathBuf,
    state: Mutex<State>,
    pub(super) changed: Condvar,
}

/// The audit log's state. Its lock is never held while the disk is waited for.
#[derive(Debug)]
pub(super) struct State {
    pub(super) pending: Pending,
    /// Records on the disk.
    pub(super) written: u64,
    /// Why the last attempt failed.
    pub(super) problem: Option<Arc<str>>,
    /// Since when the disk has been waited for.
    pub(super) writing_since: Option<Instant>,
    /// Whether the path is to be looked at now.
    pub(super) is_check_due: bool,
    /// No record comes any more.
    pub(super) is_closed: bool,
    /// The outcome, once the writer has ended.
    pub(super) end: Option<Result<(), String>>,
}

impl Shared {
    pub(super) fn new(path: PathBuf) -> Shared {
        Shared {
            path,
            state: Mutex::new(State {
                pending: Pending::new(),
                written: 0,
                problem: None,
                writing_since: None,
                is_check_due: false,
                is_closed: false,
                end: None,
            }),
            changed: Condvar::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

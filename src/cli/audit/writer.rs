//! The thread that writes the audit log.
//!
//! It has the file for itself: a disk that hangs or is full delays no session. A batch that cannot be
//! written is kept and tried again.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::MutexGuard;

use super::file::AuditFile;
use super::pending::Moment;
use super::queue::Batch;
use super::shared::{Shared, State};

/// The time between two attempts to write to a file that fails.
const RETRY: Duration = Duration::from_secs(1);

/// Writes what comes until the log is closed.
pub(super) fn run(shared: &Shared, file: AuditFile) {
    let mut writer = Writer {
        file,
        batch: None,
        retry_at: None,
    };
    while let Some(attempt) = writer.next(shared) {
        let outcome = match &writer.batch {
            Some(batch) => writer.file.append(&batch.lines),
            None => writer.file.follow_path(),
        };
        writer.conclude(shared, attempt, outcome);
    }
}

struct Writer {
    file: AuditFile,
    /// What is being written.
    batch: Option<Batch>,
    /// No attempt is made before.
    retry_at: Option<Instant>,
}

/// One attempt to write.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    /// The log was closed before: there is no other attempt.
    is_last: bool,
}

impl Writer {
    /// Waits until there is something to do; `None` once the log is closed and everything is written.
    fn next(&mut self, shared: &Shared) -> Option<Attempt> {
        let mut state = shared.lock();
        loop {
            if state.end.is_some() {
                return None;
            }
            let now = Moment::now();
            state.pending.end_windows(now);
            if self.batch.is_none() {
                self.batch = state.pending.take(now);
            }
            let has_work = self.batch.is_some() || state.is_check_due || state.problem.is_some();
            let may_try = state.is_check_due
                || state.is_closed
                || self.retry_at.is_none_or(|at| at <= now.instant);
            if has_work && may_try {
                state.is_check_due = false;
                state.writing_since = Some(now.instant);
                return Some(Attempt {
                    is_last: state.is_closed,
                });
            }
            if state.is_closed {
                state.end = Some(Ok(()));
                shared.changed.notify_all();
                return None;
            }
            let retry_at = self.retry_at.filter(|_| has_work);
            let until = [state.pending.next_window_end(), retry_at];
            match until.into_iter().flatten().min() {
                Some(until) => {
                    shared.changed.wait_until(&mut state, until);
                }
                None => shared.changed.wait(&mut state),
            }
        }
    }

    fn conclude(&mut self, shared: &Shared, attempt: Attempt, outcome: io::Result<()>) {
        let mut state = shared.lock();
        state.writing_since = None;
        match outcome {
            Ok(()) => {
                self.retry_at = None;
                if let Some(batch) = self.batch.take() {
                    state.written += batch.records;
                }
                if state.problem.take().is_some() {
                    let lost = state.pending.lost();
                    drop(state);
                    let path = shared.path.display();
                    tracing::warn!(%path, lost, "audit log is written again");
                }
            }
            Err(error) => self.fail(shared, state, attempt, &error),
        }
    }

    fn fail(
        &mut self,
        shared: &Shared,
        mut state: MutexGuard<'_, State>,
        attempt: Attempt,
        error: &io::Error,
    ) {
        self.retry_at = Some(Instant::now() + RETRY);
        let problem: Arc<str> = error.to_string().into();
        let is_new = state.problem.replace(Arc::clone(&problem)).is_none();
        let path = shared.path.display();
        if attempt.is_last {
            let in_batch = self.batch.as_ref().map_or(0, |batch| batch.records);
            let records = in_batch + state.pending.unwritten();
            state.end = Some(Err(format!("{problem}; {records} records are not written")));
            shared.changed.notify_all();
        } else if is_new {
            drop(state);
            tracing::error!(%path, %error, "audit log cannot be written; records wait");
        }
    }
}

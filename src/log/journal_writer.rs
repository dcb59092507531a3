//! With a journal, what is pushed is shown once it is on disk, and not before.
//!
//! One batch is on its way at a time; what is pushed meanwhile is the next one. A
//! seq that anybody may have seen is on disk, so that no crash gives it again.

use std::task::{Context, Poll};

use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::Appender;
use crate::store::{ClockReading, Journal, JournalRow, JournalWriteError, Store};
use crate::wire::Millis;

/// Has the log's parts written, and shows them then.
#[derive(Debug)]
pub struct JournalWriter {
    store: Store,
    state: WriterState,
}

#[derive(Debug)]
enum WriterState {
    /// Nothing is on its way.
    Idle(Box<Journal>),
    /// The store's thread has it.
    Writing(oneshot::Receiver<WrittenBatch>),
    /// Nobody knows what is on disk: nothing is written before a restart.
    InDoubt,
}

#[derive(Debug)]
struct WrittenBatch {
    journal: Box<Journal>,
    parts: Vec<JournalRow>,
    outcome: Result<(), JournalWriteError>,
}

/// What became of a batch.
#[derive(Debug)]
pub enum BatchOutcome {
    /// It is on disk, and shown.
    Committed,
    /// It is gone, and so is all that was pushed behind it: their seqs are free.
    RolledBack(JournalWriteError),
    /// It is in doubt: nothing is published any more until a restart.
    InDoubt(Option<JournalWriteError>),
}

impl JournalWriter {
    /// Writes what `appender` is given from now on.
    pub fn new(store: Store, journal: Journal, appender: &mut Appender) -> JournalWriter {
        appender.hold_rows();
        JournalWriter {
            store,
            state: WriterState::Idle(Box::new(journal)),
        }
    }

    /// Whether nothing can be written before a restart.
    pub fn is_in_doubt(&self) -> bool {
        matches!(self.state, WriterState::InDoubt)
    }

    /// Has the store look whether the database is still where it was; its log tells.
    pub fn check_location(&self) {
        drop(self.store.ask(|db| db.check_location().is_ok()));
    }

    /// Sends what was pushed on its way, or has retention do its work. Whether
    /// something is on its way then.
    pub fn write(&mut self, appender: &mut Appender, now: Millis) -> bool {
        let mut journal = match std::mem::replace(&mut self.state, WriterState::InDoubt) {
            WriterState::Idle(journal) => journal,
            other => {
                self.state = other;
                return !self.is_in_doubt();
            }
        };
        let now = ClockReading::beside(now);
        let parts = appender.take_held();
        let is_over = journal.is_over(now);
        if parts.is_empty() && !is_over {
            self.state = WriterState::Idle(journal);
            return false;
        }
        self.state = WriterState::Writing(self.store.ask(move |db| {
            let outcome = journal.write(db, &parts, now);
            WrittenBatch {
                journal,
                parts,
                outcome,
            }
        }));
        true
    }

    /// What became of the batch on its way, once that is known; `None` where none is.
    pub fn poll(
        &mut self,
        appender: &mut Appender,
        cx: &mut Context<'_>,
    ) -> Poll<Option<BatchOutcome>> {
        let WriterState::Writing(answer) = &mut self.state else {
            return Poll::Ready(None);
        };
        let Poll::Ready(written) = answer.poll_unpin(cx) else {
            return Poll::Pending;
        };
        self.state = WriterState::InDoubt;
        let Ok(written) = written else {
            appender.discard_unshown(); // the store's thread has panicked
            return Poll::Ready(Some(BatchOutcome::InDoubt(None)));
        };
        Poll::Ready(Some(match written.outcome {
            Ok(()) => {
                self.state = WriterState::Idle(written.journal);
                appender.show_held(&written.parts);
                BatchOutcome::Committed
            }
            Err(error @ JournalWriteError::RolledBack(_)) => {
                self.state = WriterState::Idle(written.journal);
                appender.discard_unshown();
                BatchOutcome::RolledBack(error)
            }
            Err(error @ JournalWriteError::InDoubt(_)) => {
                appender.discard_unshown();
                BatchOutcome::InDoubt(Some(error))
            }
        }))
    }
}

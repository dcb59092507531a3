//! Writes the log to the journal; broadcasts become visible once they are on disk.
//!
//! One batch is in flight at a time; what is pushed meanwhile forms the next one. Every seq that
//! a reader may have seen is on disk, so that no crash assigns it again.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::Appender;
use crate::counters::Counters;
use crate::store::{
    ClockReading, CursorChanges, CursorRow, Journal, JournalBatch, JournalWriteError, KeptChanges,
    ProducerChanges, ProducerRow, Retention, Store,
};
use crate::wire::Millis;

/// Commits batches of the log's parts, and makes them visible after that.
#[derive(Debug)]
pub struct JournalWriter {
    store: Store,
    counters: Arc<Counters>,
    state: WriterState,
    /// For the next batch.
    new_retention: Option<Retention>,
}

#[derive(Debug)]
enum WriterState {
    /// No batch is in flight.
    Idle(Box<Journal>),
    /// The store's thread writes a batch.
    Writing(oneshot::Receiver<WrittenBatch>),
    /// It is unknown what is on disk: nothing is written before a restart.
    InDoubt,
}

#[derive(Debug)]
struct WrittenBatch {
    journal: Box<Journal>,
    batch: JournalBatch,
    outcome: Result<(), JournalWriteError>,
    took: Duration,
    /// The length of the write-ahead log.
    wal_bytes: u64,
}

/// The result of a batch.
#[derive(Debug)]
pub enum BatchOutcome {
    /// The batch is on disk and visible.
    Committed,
    /// The batch and everything pushed after it are discarded; their seqs are assigned again.
    RolledBack(JournalWriteError),
    /// It is unknown whether the batch is on disk: nothing is published before a restart.
    InDoubt(Option<JournalWriteError>),
}

impl JournalWriter {
    /// Creates the writer of everything that is pushed to `appender` from now on. It counts its
    /// batches in `counters`.
    pub fn new(
        store: Store,
        journal: Journal,
        appender: &mut Appender,
        counters: Arc<Counters>,
    ) -> JournalWriter {
        appender.hold_rows();
        JournalWriter {
            store,
            counters,
            state: WriterState::Idle(Box::new(journal)),
            new_retention: None,
        }
    }

    /// Takes the producers that the stream had when it was opened, by the seq of their last
    /// message.
    pub fn take_producers(&mut self) -> Vec<ProducerRow> {
        match &mut self.state {
            WriterState::Idle(journal) => journal.take_producers(),
            WriterState::Writing(_) | WriterState::InDoubt => Vec::new(),
        }
    }

    /// Takes the cursors that were stored when the journal was opened.
    pub fn take_cursors(&mut self) -> Vec<CursorRow> {
        match &mut self.state {
            WriterState::Idle(journal) => journal.take_cursors(),
            WriterState::Writing(_) | WriterState::InDoubt => Vec::new(),
        }
    }

    /// Changes how much the journal keeps from the next batch on, but for its age.
    pub fn set_retention(&mut self, retention: Retention) {
        self.new_retention = Some(retention);
    }

    /// Has the last changes to cursors written before the store closes, and does not wait for it.
    pub fn write_last(&self, cursors: CursorChanges) {
        drop(self.store.ask(move |db| {
            if let Err(error) = db.write_cursors(&cursors) {
                tracing::error!(%error, "the last acknowledgements were not stored");
            }
        }));
    }

    /// Whether nothing can be written before a restart.
    pub fn is_in_doubt(&self) -> bool {
        matches!(self.state, WriterState::InDoubt)
    }

    /// Asks the store to check that the database is still at its path; the store logs a failure.
    pub fn check_location(&self) {
        drop(self.store.ask(|db| db.check_location().is_ok()));
    }

    /// Begins to write what was pushed, with the changes to its producers and to cursors, or to remove what
    /// retention no longer keeps. Returns whether a batch is in flight.
    pub fn write(
        &mut self,
        appender: &mut Appender,
        producers: ProducerChanges,
        cursors: CursorChanges,
        now: Millis,
    ) -> bool {
        let mut journal = match std::mem::replace(&mut self.state, WriterState::InDoubt) {
            WriterState::Idle(journal) => journal,
            other => {
                self.state = other;
                return !self.is_in_doubt();
            }
        };
        if let Some(retention) = self.new_retention.take() {
            journal.set_retention(retention);
        }
        let now = ClockReading::with_wall(now);
        let parts = appender.take_held();
        let has_removable_rows = journal.has_removable_rows(now, cursors.lowest);
        if parts.is_empty() && cursors.is_empty() && !has_removable_rows {
            self.state = WriterState::Idle(journal);
            return false;
        }
        let batch = JournalBatch {
            kept: KeptChanges::of(&parts),
            parts,
            producers,
            cursors,
        };
        self.state = WriterState::Writing(self.store.ask(move |db| {
            let began = Instant::now();
            let outcome = journal.write(db, &batch, now);
            WrittenBatch {
                journal,
                batch,
                outcome,
                took: began.elapsed(),
                wal_bytes: db.wal_bytes(),
            }
        }));
        true
    }

    /// Polls the batch in flight for its result; `None` if there is no batch.
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
        match &written.outcome {
            Ok(()) => {
                let parts = written.batch.parts.iter();
                let bytes: usize = parts.map(|part| part.frames.len()).sum();
                let wal_bytes = written.wal_bytes;
                self.counters
                    .committed(written.took, bytes as u64, wal_bytes);
            }
            Err(_) => self.counters.commit_failed(),
        }
        Poll::Ready(Some(match written.outcome {
            Ok(()) => {
                self.state = WriterState::Idle(written.journal);
                appender.show_held(&written.batch.parts);
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

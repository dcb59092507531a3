//! With a journal, what is pushed is shown once it is on disk, and not before.
//!
//! One batch is on its way at a time; what is pushed meanwhile is the next one. A
//! seq that anybody may have seen is on disk, so that no crash gives it again.

use std::task::{Context, Poll};

use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::Appender;
use crate::store::{ClockReading, Journal, NotWritten, Part, Store};
use crate::wire::Millis;

/// Has the log's parts written, and shows them then.
#[derive(Debug)]
pub struct Scribe {
    store: Store,
    pen: Pen,
}

#[derive(Debug)]
enum Pen {
    /// Nothing is on its way.
    Here(Box<Journal>),
    /// The store's thread has it.
    Away(oneshot::Receiver<Written>),
    /// Nobody knows what is on disk: nothing is written before a restart.
    Lost,
}

#[derive(Debug)]
struct Written {
    journal: Box<Journal>,
    parts: Vec<Part>,
    outcome: Result<(), NotWritten>,
}

/// What became of a batch.
#[derive(Debug)]
pub enum Outcome {
    /// It is on disk, and shown.
    Shown,
    /// It is gone, and so is all that was pushed behind it: their seqs are free.
    Undone(NotWritten),
    /// It is in doubt: nothing is published any more until a restart.
    Lost(Option<NotWritten>),
}

impl Scribe {
    /// Writes what `appender` is given from now on.
    pub fn new(store: Store, journal: Journal, appender: &mut Appender) -> Scribe {
        appender.hold_back();
        Scribe {
            store,
            pen: Pen::Here(Box::new(journal)),
        }
    }

    /// Whether nothing can be written before a restart.
    pub fn is_lost(&self) -> bool {
        matches!(self.pen, Pen::Lost)
    }

    /// Has the store look whether the database is still where it was; its log tells.
    pub fn check_place(&self) {
        drop(self.store.ask(|db| db.check_place().is_ok()));
    }

    /// Sends what was pushed on its way, or has retention do its work. Whether
    /// something is on its way then.
    pub fn write(&mut self, appender: &mut Appender, now: Millis) -> bool {
        let mut journal = match std::mem::replace(&mut self.pen, Pen::Lost) {
            Pen::Here(journal) => journal,
            other => {
                self.pen = other;
                return !self.is_lost();
            }
        };
        let now = ClockReading::beside(now);
        let parts = appender.take_held();
        let is_over = journal.is_over(now);
        if parts.is_empty() && !is_over {
            self.pen = Pen::Here(journal);
            return false;
        }
        self.pen = Pen::Away(self.store.ask(move |db| {
            let outcome = journal.write(db, &parts, now);
            Written {
                journal,
                parts,
                outcome,
            }
        }));
        true
    }

    /// What became of the batch on its way, once that is known; `None` where none is.
    pub fn poll(&mut self, appender: &mut Appender, cx: &mut Context<'_>) -> Poll<Option<Outcome>> {
        let Pen::Away(answer) = &mut self.pen else {
            return Poll::Ready(None);
        };
        let Poll::Ready(written) = answer.poll_unpin(cx) else {
            return Poll::Pending;
        };
        self.pen = Pen::Lost;
        let Ok(written) = written else {
            appender.take_back(); // the store's thread has panicked
            return Poll::Ready(Some(Outcome::Lost(None)));
        };
        Poll::Ready(Some(match written.outcome {
            Ok(()) => {
                self.pen = Pen::Here(written.journal);
                appender.show_held(&written.parts);
                Outcome::Shown
            }
            Err(error @ NotWritten::RolledBack(_)) => {
                self.pen = Pen::Here(written.journal);
                appender.take_back();
                Outcome::Undone(error)
            }
            Err(error @ NotWritten::InDoubt(_)) => {
                appender.take_back();
                Outcome::Lost(Some(error))
            }
        }))
    }
}

//! A reader of what the log no longer holds and a filter selects: it searches the journal, step by
//! step.
//!
//! One step at a time is under way, and the next is asked for when the frames that the last one
//! found have been written: a client that does not read asks for nothing. Each step has a bounded
//! amount of work, and says how far it got. Where the search meets the log's tail the reader goes on
//! there.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use crate::log::{Frames, JournalSearch, Log};
use crate::topic::Choice;
use crate::wire::{Gap, Seq};

/// The approximate number of bytes of the journal's frames that one step reads.
const STEP: usize = 256 * 1024;

/// A place in the journal.
#[derive(Debug)]
pub(super) struct Search {
    choice: Arc<Choice>,
    /// Everything up to here was searched, and what was found was taken.
    seq: Seq,
    step: Step,
}

enum Step {
    /// The next step must be requested.
    Needed,
    /// It is under way; the log's head when it was requested.
    Requested(Searching, Seq),
    /// It has ended.
    Done(JournalSearch),
}

type Searching = Pin<Box<dyn Future<Output = Option<Option<JournalSearch>>>>>;

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Needed => "Needed",
            Step::Requested(..) => "Requested",
            Step::Done(_) => "Done",
        })
    }
}

/// The result of a search.
pub(super) enum Searched {
    /// A step is under way; the task is woken.
    Waiting,
    /// Frames for the reader, in order.
    Frames(Frames),
    /// A step has found nothing for the reader.
    Nothing,
    /// Retention has removed these; [`Search::skip`] goes on behind them.
    Gap(Gap),
    /// The log holds what comes next.
    Met,
    /// The journal cannot be read; the server's log says why.
    Failed,
}

impl Search {
    /// Returns a search for what `choice` takes of the broadcasts behind `seq`.
    pub(super) fn behind(seq: Seq, choice: Choice) -> Search {
        Search {
            choice: Arc::new(choice),
            seq,
            step: Step::Needed,
        }
    }

    /// The seq up to which everything was searched.
    pub(super) fn seq(&self) -> Seq {
        self.seq
    }

    /// Returns what the search comes to next.
    pub(super) fn next(&mut self, log: &Log, cx: &mut TaskContext<'_>) -> Searched {
        loop {
            let tail = log.tail();
            if self.seq.next() >= tail {
                return Searched::Met;
            }
            match &mut self.step {
                Step::Needed => match self.request(log) {
                    Some(searching) => self.step = Step::Requested(searching, log.head()),
                    None => return Searched::Failed,
                },
                Step::Requested(searching, head) => {
                    let head = *head;
                    let Poll::Ready(searched) = searching.as_mut().poll(cx) else {
                        return Searched::Waiting;
                    };
                    self.step = Step::Needed;
                    match searched {
                        None => return Searched::Failed,
                        Some(Some(search)) => self.step = Step::Done(search),
                        // All that there was when it was asked for has been removed.
                        Some(None) => return self.gap(head.next().min(tail)),
                    }
                }
                Step::Done(search) if search.first > self.seq.next() => {
                    let first = search.first;
                    return self.gap(first.min(tail));
                }
                Step::Done(search) => {
                    self.seq = search.until;
                    let frames = std::mem::take(&mut search.frames);
                    self.step = Step::Needed;
                    return match frames.is_empty() {
                        true => Searched::Nothing,
                        false => Searched::Frames(Frames::from(frames)),
                    };
                }
            }
        }
    }

    fn gap(&self, next: Seq) -> Searched {
        Searched::Gap(Gap {
            from: self.seq.next(),
            to: Seq(next.0 - 1),
        })
    }

    /// Goes on behind a gap.
    pub(super) fn skip(&mut self, gap: Gap) {
        self.seq = gap.to;
    }

    fn request(&self, log: &Log) -> Option<Searching> {
        let readers = Arc::clone(log.journal()?);
        let (after, choice) = (self.seq, Arc::clone(&self.choice));
        Some(Box::pin(async move {
            match readers.search(after, choice, STEP).await {
                Ok(search) => Some(search),
                Err(error) => {
                    tracing::error!(%error, "the journal cannot be read");
                    None
                }
            }
        }))
    }
}

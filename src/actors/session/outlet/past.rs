//! A reader of what the log no longer holds: the journal, chunk by chunk.
//!
//! One chunk at a time is in memory, and the next is asked for when it has been
//! written: a client that does not read asks for nothing. Where the reader meets
//! the log's tail it goes on there.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use crate::log::{JournalChunk, Log, PartialFrame, Slice, Slices, frame_length};
use crate::wire::cbor::message_keys;
use crate::wire::{Gap, Seq};

/// The approximate number of bytes that are read at once.
const CHUNK: usize = 256 * 1024;

/// A place in the journal, between two frames.
#[derive(Debug)]
pub(super) struct Past {
    /// The last seq that was read.
    seq: Seq,
    step: Step,
}

enum Step {
    /// The next chunk must be requested.
    Needed,
    /// It is being read; the log's head when it was requested.
    Requested(Reading, Seq),
    /// The rest of a chunk.
    Held {
        chunk: JournalChunk,
        /// Whether some of its messages are for one user only.
        has_direct: bool,
    },
}

type Reading = Pin<Box<dyn Future<Output = Option<Option<JournalChunk>>>>>;

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Needed => "Needed",
            Step::Requested(..) => "Requested",
            Step::Held { .. } => "Held",
        })
    }
}

/// The result of reading at a reader's place in the journal.
pub(super) enum PastRead {
    /// It is being read; the task is woken.
    Waiting,
    /// Whole frames, in order.
    Frames(Slices),
    /// Retention has removed these; [`Past::skip`] goes on behind them.
    Gap(Gap),
    /// The log holds what comes next.
    Met,
    /// The journal cannot be read; the server's log says why.
    Failed,
}

impl Past {
    /// Returns a place whose next broadcast is the one behind `seq`.
    pub(super) fn behind(seq: Seq) -> Past {
        Past {
            seq,
            step: Step::Needed,
        }
    }

    /// The last seq that was read.
    pub(super) fn seq(&self) -> Seq {
        self.seq
    }

    /// Returns what stands at this place.
    pub(super) fn read(&mut self, log: &Log, cx: &mut TaskContext<'_>) -> PastRead {
        loop {
            let tail = log.tail();
            if self.seq.next() >= tail {
                return PastRead::Met;
            }
            match &mut self.step {
                Step::Needed => match request(log, self.seq) {
                    Some(reading) => self.step = Step::Requested(reading, log.head()),
                    None => return PastRead::Failed,
                },
                Step::Requested(reading, head) => {
                    let head = *head;
                    let Poll::Ready(read) = reading.as_mut().poll(cx) else {
                        return PastRead::Waiting;
                    };
                    self.step = Step::Needed;
                    match read {
                        None => return PastRead::Failed,
                        Some(Some(chunk)) => self.step = held(chunk),
                        // All that there was when it was asked for has been removed.
                        Some(None) => return self.gap(head.next().min(tail)),
                    }
                }
                Step::Held { chunk, .. } if chunk.first > self.seq.next() => {
                    let first = chunk.first;
                    return self.gap(first.min(tail));
                }
                Step::Held { chunk, .. } => {
                    let slice = Slice::new(chunk.frames.clone(), chunk.last);
                    return PastRead::Frames(Slices::from_iter([slice]));
                }
            }
        }
    }

    fn gap(&self, next: Seq) -> PastRead {
        PastRead::Gap(Gap {
            from: self.seq.next(),
            to: Seq(next.0 - 1),
        })
    }

    /// Whether some of the messages that are being read are for one user only.
    pub(super) fn has_direct(&self) -> bool {
        matches!(
            self.step,
            Step::Held {
                has_direct: true,
                ..
            }
        )
    }

    /// Goes on behind a gap.
    pub(super) fn skip(&mut self, gap: Gap) {
        self.seq = gap.to;
    }

    /// Moves behind the frames that `written` bytes touched; the rest of the last
    /// one, as with a cursor in the log.
    pub(super) fn advance(&mut self, written: usize) -> PartialFrame {
        let Step::Held { chunk, .. } = &mut self.step else {
            return PartialFrame::default();
        };
        let frames = &chunk.frames;
        let mut end = 0;
        while end < written
            && let Some(length) = frame_length(&frames[end..])
        {
            end += length;
            self.seq = self.seq.next();
        }
        let rest = PartialFrame::of(frames, written..end, None);
        chunk.frames = frames.slice(end..);
        chunk.first = self.seq.next();
        if chunk.frames.is_empty() {
            self.step = Step::Needed;
        }
        rest
    }
}

fn held(chunk: JournalChunk) -> Step {
    let mut bytes = &chunk.frames[..];
    let mut has_direct = false;
    while let Some(length) = frame_length(bytes) {
        let (frame, rest) = bytes.split_at(length);
        has_direct |= message_keys(frame).is_some_and(|keys| keys.to.is_some());
        bytes = rest;
    }
    Step::Held { chunk, has_direct }
}

fn request(log: &Log, after: Seq) -> Option<Reading> {
    let readers = Arc::clone(log.journal()?);
    Some(Box::pin(async move {
        match readers.read(after, CHUNK).await {
            Ok(chunk) => Some(chunk),
            Err(error) => {
                tracing::error!(%error, "the journal cannot be read");
                None
            }
        }
    }))
}

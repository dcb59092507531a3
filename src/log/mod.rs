//! The broadcasts, once each, and who has yet to read them.
//!
//! The problem: one message to n sessions must not cost n copies, n queues or n
//! pieces of work for the one who appends it, and a reader that stalls must cost
//! nobody anything. So the broadcasts stand in one [`Log`], encoded once, bounded
//! in bytes, and a reader is a [`Cursor`]: a number that says how far it has read.
//!
//! Invariants:
//! - seqs count 1, 2, 3, … without a hole; only the one [`Appender`] gives them;
//! - what a reader sees is a prefix of what was appended, whole frames only;
//! - a cursor stands between two frames; when the log's tail has passed it, it
//!   learns exactly which seqs it missed, once;
//! - after [`Appender::seal`] the head does not move.
//!
//! ```
//! use arauto::internal::log::{Log, Read};
//! use arauto::wire::cbor::encode_body;
//! use arauto::{Body, Config, Millis, Seq};
//!
//! let (log, mut appender) = Log::new("a stream".to_owned(), Config::default().log, 1);
//! let mut cursor = log.cursor_after(Seq::ZERO);
//! let mut body = Vec::new();
//! encode_body(&Body::text("bom dia"), &mut body);
//! appender.push_messages(Millis::now(), "ana", [&body[..]])?;
//! assert!(matches!(log.read(&mut cursor, 4, 64 << 10), Read::Head));
//!
//! appender.commit();
//! let Read::Frames(slices) = log.read(&mut cursor, 4, 64 << 10) else {
//!     panic!("it is shown now");
//! };
//! let written = slices.iter().map(|slice| slice.bytes.len()).sum();
//! cursor.advance(&log, &slices, written);
//! assert_eq!(cursor.seq(), Seq(1));
//! # Ok::<_, arauto::internal::log::Sealed>(())
//! ```

mod appender;
mod bell;
mod cursor;
mod mirror;
mod pace;
mod parts;
mod scribe;
mod waiters;

use std::sync::Arc;

pub use appender::{Appender, Presented, Sealed};
pub use bell::{Bell, Place};
pub use cursor::{Cursor, Read, Rest, Slice, Slices};
pub use mirror::Mirrored;
pub use pace::{OnItsWay, Pace, PaceLimits, PacedReader, PublishWait};
use parts::Parts;
pub use parts::frame_length;
pub use scribe::{Outcome, Scribe};

pub use crate::store::{Chunk, Readers, Retention, Terms};
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, Ordering, RwLock};
use crate::wire::Seq;

/// How much the log keeps, and how long publishers wait for readers.
#[derive(Debug, Clone, Copy)]
pub struct LogLimits {
    /// Bytes kept for readers that lag.
    pub bytes: usize,
    /// How publishers wait for readers that move.
    pub pace: PaceLimits,
}

/// Where a log goes on.
#[derive(Debug)]
pub struct Origin {
    /// Names the sequence that the seqs count in.
    pub stream: String,
    /// The starts of a server on the stream, this one included.
    pub terms: Terms,
    /// The first seq that it will hold.
    pub first: Seq,
    /// Reads what the log no longer holds, where a journal keeps it.
    pub past: Option<Arc<Readers>>,
}

/// The newest broadcasts of one stream, for any number of readers.
#[derive(Debug)]
pub struct Log {
    stream: String,
    terms: Terms,
    past: Option<Arc<Readers>>,
    parts: RwLock<Parts>,
    /// The number of the part that comes next: equal to a cursor's where that
    /// cursor has read everything. Changes under the write lock only.
    next_part: AtomicU64,
    head: AtomicU64,
    /// Bytes ever appended: the head as a distance, for lags.
    written: AtomicU64,
    sealed: AtomicBool,
    /// Readers that take files, see [`Seat`].
    audience: AtomicUsize,
    bells: Vec<Bell>,
    pace: Pace,
}

/// One of the readers that can be sent a file's bytes: where there are many of
/// them, what is appended is mirrored. Dropping it takes it away.
#[derive(Debug)]
pub struct Seat(Arc<Log>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.audience.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Log {
    /// An empty log of a new stream and its one appender; `bells` is how many
    /// threads read it.
    pub fn new(stream: String, limits: LogLimits, bells: usize) -> (Arc<Log>, Appender) {
        let origin = Origin {
            stream,
            terms: Terms::only(),
            first: Seq::ZERO.next(),
            past: None,
        };
        Log::going_on(origin, limits, bells)
    }

    /// As [`Log::new`], for a stream that goes on.
    pub fn going_on(origin: Origin, limits: LogLimits, bells: usize) -> (Arc<Log>, Appender) {
        let parts = Parts::new(limits.bytes, origin.first);
        let log = Arc::new(Log {
            stream: origin.stream,
            terms: origin.terms,
            past: origin.past,
            next_part: AtomicU64::new(parts.next_number()),
            head: AtomicU64::new(parts.head().0),
            parts: RwLock::new(parts),
            written: AtomicU64::new(0),
            sealed: AtomicBool::new(false),
            audience: AtomicUsize::new(0),
            bells: (0..bells).map(|_| Bell::default()).collect(),
            pace: Pace::new(limits.pace),
        });
        let appender = Appender::new(Arc::clone(&log));
        (log, appender)
    }

    /// Names the sequence that the seqs count in.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The starts of a server on the stream, this one included.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The newest seq that readers can see.
    pub fn head(&self) -> Seq {
        Seq(self.head.load(Ordering::Acquire))
    }

    /// The oldest seq that is still held, or the next one where none is.
    pub fn tail(&self) -> Seq {
        self.parts.read().tail()
    }

    /// Reads what is no longer held, where a journal keeps it.
    pub fn past(&self) -> Option<&Arc<Readers>> {
        self.past.as_ref()
    }

    /// Whether the head has come to rest.
    pub fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Acquire)
    }

    /// What wakes the readers of one thread.
    ///
    /// # Panics
    /// If there are no more than `shard` bells.
    pub fn bell(&self, shard: usize) -> &Bell {
        &self.bells[shard]
    }

    /// Counts a reader that can be sent a file's bytes.
    pub fn seat(self: &Arc<Log>) -> Seat {
        self.audience.fetch_add(1, Ordering::Relaxed);
        Seat(Arc::clone(self))
    }

    /// What holds publishers back while readers catch up.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Bytes ever appended.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Waits for the rings of one bell and hands each on to the readers that
    /// wait there. One task on each thread that reads runs this for ever.
    ///
    /// # Panics
    /// If there are no more than `shard` bells.
    pub async fn relay(&self, shard: usize) {
        let bell = self.bell(shard);
        let mut served = self.pace.reader(None);
        loop {
            bell.rung().await;
            let written = self.written();
            bell.wake_all();
            // Those woken run before this task does again.
            tokio::task::yield_now().await;
            served.note(written, written, self.written());
        }
    }

    fn ring(&self) {
        self.bells.iter().for_each(Bell::ring);
    }
}

#[cfg(all(test, shuttle))]
pub(crate) mod interleavings;
#[cfg(all(test, not(shuttle)))]
mod tests;

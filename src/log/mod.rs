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
//! assert!(matches!(log.read(&mut cursor, 4, 64 << 10), LogRead::AtHead));
//!
//! appender.commit();
//! let LogRead::Frames(slices) = log.read(&mut cursor, 4, 64 << 10) else {
//!     panic!("it is shown now");
//! };
//! let written = slices.iter().map(|slice| slice.bytes.len()).sum();
//! cursor.advance(&log, &slices, written);
//! assert_eq!(cursor.seq(), Seq(1));
//! # Ok::<_, arauto::internal::log::Sealed>(())
//! ```

mod appender;
mod backpressure;
mod cursor;
mod journal_writer;
mod notifier;
mod page_file;
mod parts;
mod waiters;

use std::sync::Arc;

pub use appender::{Appender, PresenceChange, Sealed};
pub use backpressure::{
    Backpressure, BackpressureLimits, InFlightBytes, PublishWait, TrackedReader,
};
pub use cursor::{Cursor, LogRead, PartialFrame, Slice, Slices};
pub use journal_writer::{BatchOutcome, JournalWriter};
pub use notifier::{Notifier, ReadWait};
pub use page_file::PageRange;
use parts::Parts;
pub use parts::frame_length;

pub use crate::store::{JournalChunk, JournalReaders, Retention, Terms};
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, Ordering, RwLock};
use crate::wire::Seq;

/// How much the log keeps, and how long publishers wait for readers.
#[derive(Debug, Clone, Copy)]
pub struct LogLimits {
    /// Bytes kept for readers that lag.
    pub bytes: usize,
    /// How publishers wait for readers that move.
    pub backpressure: BackpressureLimits,
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
    pub journal: Option<Arc<JournalReaders>>,
}

/// The newest broadcasts of one stream, for any number of readers.
#[derive(Debug)]
pub struct Log {
    stream: String,
    terms: Terms,
    journal: Option<Arc<JournalReaders>>,
    parts: RwLock<Parts>,
    /// The number of the part that comes next: equal to a cursor's where that
    /// cursor has read everything. Changes under the write lock only.
    next_part: AtomicU64,
    head: AtomicU64,
    /// Bytes ever appended: the head as a distance, for lags.
    written: AtomicU64,
    sealed: AtomicBool,
    /// JournalReaders that take files, see [`SendfileGuard`].
    sendfile_readers: AtomicUsize,
    notifiers: Vec<Notifier>,
    backpressure: Backpressure,
}

/// One of the readers that can be sent a file's bytes: where there are many of
/// them, what is appended is pages. Dropping it takes it away.
#[derive(Debug)]
pub struct SendfileGuard(Arc<Log>);

impl Drop for SendfileGuard {
    fn drop(&mut self) {
        self.0.sendfile_readers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Log {
    /// An empty log of a new stream and its one appender; `notifiers` is how many
    /// threads read it.
    pub fn new(stream: String, limits: LogLimits, notifiers: usize) -> (Arc<Log>, Appender) {
        let origin = Origin {
            stream,
            terms: Terms::only(),
            first: Seq::ZERO.next(),
            journal: None,
        };
        Log::going_on(origin, limits, notifiers)
    }

    /// As [`Log::new`], for a stream that goes on.
    pub fn going_on(origin: Origin, limits: LogLimits, notifiers: usize) -> (Arc<Log>, Appender) {
        let parts = Parts::new(limits.bytes, origin.first);
        let log = Arc::new(Log {
            stream: origin.stream,
            terms: origin.terms,
            journal: origin.journal,
            next_part: AtomicU64::new(parts.next_number()),
            head: AtomicU64::new(parts.head().0),
            parts: RwLock::new(parts),
            written: AtomicU64::new(0),
            sealed: AtomicBool::new(false),
            sendfile_readers: AtomicUsize::new(0),
            notifiers: (0..notifiers).map(|_| Notifier::default()).collect(),
            backpressure: Backpressure::new(limits.backpressure),
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
    pub fn journal(&self) -> Option<&Arc<JournalReaders>> {
        self.journal.as_ref()
    }

    /// Whether the head has come to rest.
    pub fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Acquire)
    }

    /// What wakes the readers of one thread.
    ///
    /// # Panics
    /// If there are no more than `shard` notifiers.
    pub fn notifier(&self, shard: usize) -> &Notifier {
        &self.notifiers[shard]
    }

    /// Counts a reader that can be sent a file's bytes.
    pub fn register_sendfile_reader(self: &Arc<Log>) -> SendfileGuard {
        self.sendfile_readers.fetch_add(1, Ordering::Relaxed);
        SendfileGuard(Arc::clone(self))
    }

    /// What holds publishers back while readers catch up.
    pub fn backpressure(&self) -> &Backpressure {
        &self.backpressure
    }

    /// Bytes ever appended.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Waits for the rings of one bell and hands each on to the readers that
    /// wait there. One task on each thread that reads runs this for ever.
    ///
    /// # Panics
    /// If there are no more than `shard` notifiers.
    pub async fn relay(&self, shard: usize) {
        let notifier = self.notifier(shard);
        let mut served = self.backpressure.reader(None);
        loop {
            notifier.notified().await;
            let written = self.written();
            notifier.wake_all();
            // Those woken run before this task does again.
            tokio::task::yield_now().await;
            served.note(written, written, self.written());
        }
    }

    fn notify_readers(&self) {
        self.notifiers.iter().for_each(Notifier::notify);
    }
}

#[cfg(all(test, shuttle))]
pub(crate) mod interleavings;
#[cfg(all(test, not(shuttle)))]
mod tests;

//! The broadcasts of one stream, encoded once, and the cursors that read them.
//!
//! The problem: one message to n sessions must not cost n copies, n queues or n wake-ups for
//! the task that appends it, and a reader that stalls must not cost the others anything. So
//! the newest broadcasts are held in one [`Log`], encoded once and bounded in bytes, and a
//! reader is a [`Cursor`]: a number that says how far it has read.
//!
//! Invariants:
//! - seqs count 1, 2, 3, … without a hole; only the one [`Appender`] assigns them;
//! - a reader sees a prefix of what was appended, whole frames only;
//! - a cursor stands between two frames; when the log's tail has passed it, it
//!   learns exactly which seqs it missed, once;
//! - after [`Appender::seal`] the head does not move.
//!
//! ```
//! use arauto::internal::log::{Content, Log, LogRead};
//! use arauto::wire::cbor::encode_body;
//! use arauto::{BackpressureLimits, Body, LogLimits, Millis, Seq};
//!
//! let backpressure = BackpressureLimits::default();
//! let limits = LogLimits { bytes: 64 << 20, backpressure };
//! let (log, mut appender) = Log::new("a stream".to_owned(), limits, 1);
//! let mut cursor = log.cursor_after(Seq::ZERO);
//! let mut body = Vec::new();
//! encode_body(&Body::text("bom dia"), &mut body);
//! appender.push_messages(Millis::now(), "ana", [Content::body(&body)])?;
//! assert!(matches!(log.read(&mut cursor, None, 4, 64 << 10), LogRead::AtHead));
//!
//! appender.commit();
//! let LogRead::Frames(slices) = log.read(&mut cursor, None, 4, 64 << 10) else {
//!     panic!("a commit makes it visible");
//! };
//! let written = slices.iter().map(|slice| slice.bytes.len()).sum();
//! cursor.advance(&log, &slices, written);
//! assert_eq!(cursor.seq(), Seq(1));
//! # Ok::<_, arauto::internal::log::Sealed>(())
//! ```

mod appender;
mod backpressure;
mod cursor;
mod frames;
mod journal_writer;
mod kept;
mod kept_search;
mod notifier;
mod page_file;
mod parts;
mod recent_routes;
mod relay;
mod routes;
mod subscribers;
mod subscription;
mod topics;
mod waiters;

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

pub use appender::{Appender, Content, PresenceChange, Sealed};
#[cfg(any(test, fuzzing))]
pub use backpressure::SavedProgress;
pub use backpressure::{
    Backpressure, BackpressureLimits, InFlightBytes, PublishWait, TrackedReader,
};
pub use cursor::{Cursor, LogRead, PartialFrame, Slice, Slices};
pub use journal_writer::{BatchOutcome, JournalWriter};
use kept::KeptSizes;
pub use kept::{KeptLimit, KeptLimits};
#[cfg(any(test, fuzzing))]
pub use kept_search::KeptPlace;
pub use kept_search::KeptSearch;
pub use notifier::{Notifier, ReadWait};
use page_file::PageBytes;
pub use page_file::PageRange;
use parts::Parts;
pub use parts::frame_length;

pub use frames::{FrameEnd, Frames};
pub use subscribers::Selection;
pub use subscription::{Selected, Subscription};

pub use crate::store::{
    CursorChanges, CursorRow, JournalChunk, JournalReaders, JournalSearch, ProducerChanges,
    ProducerRow, Retention, Terms,
};
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, Ordering, RwLock};
use crate::topic::Routes;
use crate::wire::Seq;

/// How much the log holds, and how long publishers wait for readers.
#[derive(Debug, Clone, Copy)]
pub struct LogLimits {
    /// Bytes held for readers that lag.
    pub bytes: usize,
    /// How publishers wait for readers.
    pub backpressure: BackpressureLimits,
}

/// The stream that a log continues.
#[derive(Debug)]
pub struct Origin {
    /// Names the sequence that the seqs count in.
    pub stream: String,
    /// The starts of a server on the stream, this one included.
    pub terms: Terms,
    /// The first seq that the log will hold.
    pub first: Seq,
    /// Reads what the log no longer holds; `None` without a journal.
    pub journal: Option<Arc<JournalReaders>>,
    /// The frames of the kept values that the stream has.
    pub kept: Vec<Bytes>,
}

/// The newest broadcasts of one stream, for any number of readers.
#[derive(Debug)]
pub struct Log {
    stream: String,
    terms: Terms,
    journal: Option<Arc<JournalReaders>>,
    parts: RwLock<Parts>,
    /// The number of the next part. A cursor with this number has read everything. Changes
    /// only while `parts` is locked for writing.
    next_part: AtomicU64,
    head: AtomicU64,
    /// Bytes ever appended: the head as a distance, for lags.
    written: AtomicU64,
    sealed: AtomicBool,
    /// Readers that can be sent a file's bytes, see [`SendfileGuard`].
    sendfile_readers: AtomicUsize,
    page_bytes: PageBytes,
    notifiers: Vec<Notifier>,
    backpressure: Backpressure,
}

/// Counts a reader that can be sent a file's bytes, until it is dropped. Where there are many
/// such readers, what is appended is copied into files too.
#[derive(Debug)]
pub struct SendfileGuard(Arc<Log>);

impl Drop for SendfileGuard {
    fn drop(&mut self) {
        self.0.sendfile_readers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Log {
    /// An empty log that continues `origin`; `threads` is how many threads read it.
    fn empty(origin: Origin, limits: LogLimits, threads: usize) -> Log {
        let mut parts = Parts::new(limits.bytes, origin.first);
        parts.keep(&origin.kept);
        let backpressure = Backpressure::new(limits.backpressure);
        let notifiers = (0..threads).map(|_| Notifier::new(backpressure.reader()));
        Log {
            stream: origin.stream,
            terms: origin.terms,
            journal: origin.journal,
            next_part: AtomicU64::new(parts.next_number()),
            head: AtomicU64::new(parts.head().0),
            parts: RwLock::new(parts),
            written: AtomicU64::new(0),
            sealed: AtomicBool::new(false),
            sendfile_readers: AtomicUsize::new(0),
            page_bytes: PageBytes::default(),
            notifiers: notifiers.collect(),
            backpressure,
        }
    }

    /// Names the sequence that the seqs count in.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// Returns the starts of a server on the stream, this one included.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Returns the newest seq that readers can see.
    pub fn head(&self) -> Seq {
        Seq(self.head.load(Ordering::Acquire))
    }

    /// Returns the oldest seq that is still held, or the next one if none is.
    pub fn tail(&self) -> Seq {
        self.parts.read().tail()
    }

    /// Returns the bytes of the broadcasts above `seq`; `None` if some of them are not held.
    pub fn bytes_above(&self, seq: Seq) -> Option<u64> {
        self.parts.read().bytes_above(seq)
    }

    /// Returns the readers of the journal, which has what the log no longer holds.
    pub fn journal(&self) -> Option<&Arc<JournalReaders>> {
        self.journal.as_ref()
    }

    /// Whether the head no longer moves.
    pub fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Acquire)
    }

    /// Returns the notifier of one thread's readers.
    ///
    /// # Panics
    /// If the log has no more than `shard` notifiers.
    pub fn notifier(&self, shard: usize) -> &Notifier {
        &self.notifiers[shard]
    }

    /// Counts a reader that can be sent a file's bytes.
    pub fn register_sendfile_reader(self: &Arc<Log>) -> SendfileGuard {
        self.sendfile_readers.fetch_add(1, Ordering::Relaxed);
        SendfileGuard(Arc::clone(self))
    }

    /// Returns what makes publishers wait for readers.
    pub fn backpressure(&self) -> &Backpressure {
        &self.backpressure
    }

    /// Returns the count of bytes ever appended.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Returns the bytes of the files in memory that readers are sent broadcasts from.
    pub fn page_bytes(&self) -> u64 {
        self.page_bytes.get()
    }

    /// Goes one step on in a search among the kept values. Returns messages.
    pub fn search_kept(&self, search: &mut KeptSearch) -> Vec<Bytes> {
        search.step(self.read_parts().kept().values())
    }

    /// Returns the sizes of the kept values.
    fn kept_sizes(&self) -> KeptSizes {
        KeptSizes::of(self.read_parts().kept())
    }

    /// Locks the parts for reading.
    fn read_parts(&self) -> impl Deref<Target = Parts> {
        self.parts.read()
    }

    /// Whether a cursor at this part has read everything that is visible.
    fn is_next_part(&self, number: u64) -> bool {
        number == self.next_part.load(Ordering::Acquire)
    }

    /// Makes a part of `count` frames visible to readers, and wakes none of them.
    fn append(&self, bytes: Bytes, count: u64, pages: Option<PageRange>, routes: &Routes) {
        let mut parts = self.parts.write();
        parts.push(bytes, count, pages, routes);
        self.written.store(parts.end(), Ordering::Release);
        self.head.store(parts.head().0, Ordering::Release);
        self.next_part.store(parts.next_number(), Ordering::Release);
    }

    /// Counts memory that stays unused against the newest part.
    fn charge_newest(&self, unused: usize) {
        self.parts.write().charge_newest(unused);
    }

    /// Keeps the head where it is from now on.
    fn mark_sealed(&self) {
        self.sealed.store(true, Ordering::Release);
    }

    /// Returns the count of readers that can be sent a file's bytes.
    fn sendfile_readers(&self) -> usize {
        self.sendfile_readers.load(Ordering::Relaxed)
    }

    fn notify_readers(&self) {
        self.notifiers.iter().for_each(Notifier::notify);
    }

    fn notify_readers_elsewhere(&self, shard: usize) {
        let others = self.notifiers.iter().enumerate();
        let others = others.filter(|(other, _)| *other != shard);
        others.for_each(|(_, notifier)| notifier.notify());
    }
}

#[cfg(all(test, shuttle))]
pub(crate) mod interleavings;
#[cfg(all(test, not(shuttle)))]
mod tests;

//! The log's only writer.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};

use super::kept::{KeptLimit, KeptLimits, KeptSizes};
use super::page_file::{MIN_PART, MIN_READERS, MakeFile, PageFile};
use super::{Log, LogLimits, Origin};
use crate::store::{JournalRow, Terms};
use crate::topic::{Route, Routes};
use crate::wire::cbor::{self, MessageFrames};
use crate::wire::{Millis, Presence, Seq, ServerFrame};

/// The size of the chunks of memory that parts share. Just below the size from which malloc(3)
/// maps and unmaps memory each time.
const CHUNK: usize = 128 * 1024 - 64;

/// A longer frame gets its own memory, so that little is lost at the end of a chunk that the
/// next frame does not fit into.
const LONG: usize = CHUNK / 8;

/// A change of who is present.
#[derive(Debug, Clone, Copy)]
pub enum PresenceChange<'a> {
    /// A user's first session logged in.
    Joined(&'a str),
    /// A user's last session ended.
    Left(&'a str),
}

/// A message without its sender, its seq and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content<'a> {
    /// The body and the keys behind it, see [`cbor::encode_content`].
    pub bytes: &'a [u8],
    /// The count of these keys.
    pub keys: u8,
    /// Selects the sessions that get the message; `None`: all do.
    pub route: Option<Route<'a>>,
    /// Whether the message becomes its topic's kept value.
    pub is_kept: bool,
}

impl<'a> Content<'a> {
    /// A message with a body alone, which is a CBOR item, see [`cbor::encode_body`].
    pub fn body(bytes: &'a [u8]) -> Content<'a> {
        Content {
            bytes,
            keys: 0,
            route: None,
            is_kept: false,
        }
    }
}

/// The log accepts no more broadcasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log is sealed")]
pub struct Sealed;

/// Assigns each broadcast its seq, encodes it once and makes it visible to readers.
///
/// Pushed broadcasts become visible at [`Appender::commit`], together and with one wake-up.
#[derive(Debug)]
pub struct Appender {
    log: Arc<Log>,
    /// Frames that are not visible yet, and free space.
    chunk: BytesMut,
    /// Frames in the chunk.
    count: u64,
    /// The routes of the frames in the chunk.
    routes: Routes,
    last: Seq,
    /// Whether there are visible frames that readers were not notified of.
    is_notify_due: bool,
    page_file: PageFile,
    /// Of the kept values once all that was pushed is visible.
    kept_sizes: KeptSizes,
    /// With a journal: the rows that are not in flight to the disk yet.
    held: Option<HeldRows>,
}

/// Parts that become visible only when they are on disk.
#[derive(Debug)]
struct HeldRows {
    parts: Vec<JournalRow>,
    /// The last seq in `parts`, in flight, or visible.
    last: Seq,
}

impl Log {
    /// Creates an empty log of a new stream, and its one appender; `threads` is how many
    /// threads read it.
    pub fn new(stream: String, limits: LogLimits, threads: usize) -> (Arc<Log>, Appender) {
        let origin = Origin {
            stream,
            terms: Terms::single(),
            first: Seq::ZERO.next(),
            journal: None,
            kept: Vec::new(),
        };
        Log::continue_from(origin, limits, threads)
    }

    /// Creates a log that continues a stream, and its one appender.
    pub fn continue_from(
        origin: Origin,
        limits: LogLimits,
        threads: usize,
    ) -> (Arc<Log>, Appender) {
        let log = Arc::new(Log::empty(origin, limits, threads));
        let appender = Appender::new(Arc::clone(&log));
        (log, appender)
    }
}

impl Appender {
    fn new(log: Arc<Log>) -> Self {
        let page_file = PageFile::new(None, log.page_bytes.clone());
        let kept_sizes = log.kept_sizes();
        Appender {
            last: log.head(),
            log,
            chunk: BytesMut::new(),
            count: 0,
            routes: Routes::default(),
            is_notify_due: false,
            page_file,
            kept_sizes,
            held: None,
        }
    }

    /// Copies parts with many readers into files too, see [`MakeFile`].
    pub fn use_page_files(&mut self, make: MakeFile) {
        self.page_file = PageFile::new(Some(make), self.log.page_bytes.clone());
    }

    /// Returns the log.
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// Returns the seq that the next broadcast gets.
    pub fn next_seq(&self) -> Seq {
        self.last.next()
    }

    /// Assigns messages of one sender their seqs and returns the first.
    ///
    /// # Errors
    /// The log is sealed; none of them has got a seq.
    pub fn push_messages<'a>(
        &mut self,
        at: Millis,
        from: &str,
        contents: impl IntoIterator<Item = Content<'a>>,
    ) -> Result<Seq, Sealed> {
        if self.log.is_sealed() {
            return Err(Sealed);
        }
        let frames = MessageFrames::new(from, at);
        let first = self.last.next();
        for content in contents {
            let Content {
                bytes,
                keys,
                route,
                is_kept,
            } = content;
            let seq = self.last.next();
            let length = frames.length(seq, bytes);
            let route = route.map(|route| (route, is_kept));
            self.push(length, route, |out| {
                frames.encode_with_keys(seq, bytes, keys, out);
            });
        }
        Ok(first)
    }

    /// Limits the kept values from now on. Those that there are stay.
    pub fn limit_kept(&mut self, limits: KeptLimits) {
        self.kept_sizes.set_limits(limits);
    }

    /// Decides whether a message of this sender, which is to get this seq, may become its topic's
    /// kept value, and counts it. A message without `keep` may always be pushed.
    ///
    /// # Errors
    /// Returns the limit that it would exceed; it is not counted.
    pub fn admit_kept(
        &mut self,
        at: Millis,
        from: &str,
        seq: Seq,
        content: Content<'_>,
    ) -> Result<(), KeptLimit> {
        let Some(Route::Topic(topic)) = content.route.filter(|_| content.is_kept) else {
            return Ok(());
        };
        let length = MessageFrames::new(from, at).length(seq, content.bytes);
        let is_removal = content.bytes.first() == Some(&cbor::EMPTY_TEXT);
        let value = (!is_removal).then_some(length);
        self.kept_sizes.admit(topic, value)
    }

    /// Assigns a presence change its seq.
    ///
    /// # Errors
    /// The log is sealed.
    pub fn push_presence(&mut self, at: Millis, who: PresenceChange<'_>) -> Result<Seq, Sealed> {
        if self.log.is_sealed() {
            return Err(Sealed);
        }
        let seq = self.last.next();
        let presence = |user| Presence {
            seq,
            user: Cow::Borrowed(user),
            at,
        };
        let mut frame = Vec::new();
        match who {
            PresenceChange::Joined(user) => {
                cbor::encode(&ServerFrame::Joined(presence(user)), &mut frame);
            }
            PresenceChange::Left(user) => {
                cbor::encode(&ServerFrame::Left(presence(user)), &mut frame)
            }
        }
        let route = Some((Route::Presence, false));
        self.push(frame.len(), route, |out| out.put_slice(&frame));
        Ok(seq)
    }

    /// Makes what was pushed visible to readers and notifies them.
    pub fn commit(&mut self) {
        self.flush();
        if std::mem::take(&mut self.is_notify_due) {
            self.log.notify_readers();
        }
    }

    /// Makes what was pushed visible, and notifies the readers of all threads but this one, whose
    /// number is `shard`. Returns whether the caller must call [`Log::wake_readers`].
    pub fn commit_here(&mut self, shard: usize) -> bool {
        self.flush();
        let is_due = std::mem::take(&mut self.is_notify_due);
        if is_due {
            self.log.notify_readers_elsewhere(shard);
        }
        is_due
    }

    /// Commits, and accepts nothing more: the head no longer moves.
    pub fn seal(&mut self) -> Seq {
        self.commit();
        self.log.mark_sealed();
        self.log.notify_readers();
        self.last
    }

    /// Makes broadcasts visible by [`Appender::show_held`] only, from now on.
    pub(super) fn hold_rows(&mut self) {
        self.commit();
        self.held = Some(HeldRows {
            parts: Vec::new(),
            last: self.last,
        });
    }

    /// Takes the rows that were pushed and are not in flight.
    pub(super) fn take_held(&mut self) -> Vec<JournalRow> {
        self.flush();
        let held = self.held.as_mut();
        held.map_or_else(Vec::new, |held| std::mem::take(&mut held.parts))
    }

    /// Makes rows that are on disk visible.
    pub fn show_held(&mut self, parts: &[JournalRow]) {
        for part in parts {
            let count = part.last.0 - part.first.0 + 1;
            self.show_now(part.frames.clone(), count, &part.routes);
            self.last = self.last.max(part.last);
        }
        if std::mem::take(&mut self.is_notify_due) {
            self.log.notify_readers();
        }
    }

    /// Discards what is not visible: its seqs are assigned again.
    pub(super) fn discard_unshown(&mut self) {
        self.chunk.clear();
        self.routes.clear();
        self.count = 0;
        self.last = self.log.head();
        self.kept_sizes.reset(self.log.kept_sizes());
        if let Some(held) = &mut self.held {
            held.parts.clear();
            held.last = self.last;
        }
    }

    /// Adds one frame of `length` bytes, which carries the next seq. It may have a route, and be a
    /// kept value.
    fn push(
        &mut self,
        length: usize,
        route: Option<(Route<'_>, bool)>,
        encode: impl FnOnce(&mut BytesMut),
    ) {
        if length > LONG {
            self.flush();
            let mut own = BytesMut::with_capacity(length);
            encode(&mut own);
            if let Some((route, is_kept)) = route {
                self.routes.push(0, 0, route, is_kept);
            }
            self.show(own.freeze(), 1);
        } else {
            if self.chunk.capacity() - self.chunk.len() < length {
                self.next_chunk();
            }
            if let Some((route, is_kept)) = route {
                self.routes
                    .push(self.count, self.chunk.len(), route, is_kept);
            }
            encode(&mut self.chunk);
            self.count += 1;
        }
        self.last = self.last.next();
    }

    fn next_chunk(&mut self) {
        self.flush();
        self.log.charge_newest(self.chunk.capacity());
        self.chunk = BytesMut::with_capacity(CHUNK);
    }

    fn flush(&mut self) {
        if self.count > 0 {
            let bytes = self.chunk.split().freeze();
            let count = std::mem::take(&mut self.count);
            self.show(bytes, count);
        }
    }

    /// Makes frames visible, or holds them for the journal.
    fn show(&mut self, bytes: Bytes, count: u64) {
        let mut routes = std::mem::take(&mut self.routes);
        let Some(held) = &mut self.held else {
            self.show_now(bytes, count, &routes);
            routes.clear();
            self.routes = routes; // its memory is used again
            return;
        };
        let first = held.last.next();
        held.last = Seq(held.last.0 + count);
        held.parts.push(JournalRow {
            first,
            last: held.last,
            frames: bytes,
            routes,
        });
    }

    fn show_now(&mut self, bytes: Bytes, count: u64, routes: &Routes) {
        self.is_notify_due = true;
        let pages = if self.log.sendfile_readers() < MIN_READERS {
            self.page_file.release();
            None
        } else if bytes.len() < MIN_PART {
            None
        } else {
            self.page_file.copy(&bytes)
        };
        self.log.append(bytes, count, pages, routes);
    }
}

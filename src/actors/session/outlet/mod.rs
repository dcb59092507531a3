//! What goes to the client: answers from a small queue, broadcasts from the log.

mod queue;
mod render;
mod replace;
mod stream;
#[cfg(test)]
mod tests;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use self::queue::Queue;
use self::replace::{id_of, is_notice};
use super::reader::{Found, Reader};
use crate::actors::link::Link;
use crate::framing::{Failure, Framing};
use crate::log::{Log, Rest, Slices};
use crate::wire::{Dialect, Gap, Seq, ServerFrame, SessionId};

/// A link's outgoing side.
#[derive(Debug)]
pub(super) struct Outlet<L> {
    link: L,
    session: SessionId,
    dialect: Dialect,
    /// The longest message that may be sent, in message mode.
    longest: usize,
    log: Arc<Log>,
    shard: usize,
    /// The rest of a broadcast that was written in part: it goes before all else.
    rest: Rest,
    /// Answers, and broadcasts where they do not go out as the log has them.
    queue: Queue,
    reader: Option<Reader>,
    /// What [`Outlet::reached`] was when the last answer was queued: that one stands behind
    /// this broadcast, and before the next.
    last_answer: Option<Seq>,
    /// Why nothing more can be written.
    failure: Option<Failure>,
    /// The last seq that had been written whole when the link broke.
    sent_before_break: Option<Seq>,
    write_shut: bool,
}

/// What an outlet begins with.
pub(super) struct Opened<L> {
    pub(super) link: L,
    pub(super) session: SessionId,
    pub(super) dialect: Dialect,
    pub(super) max_frame: usize,
    pub(super) log: Arc<Log>,
    pub(super) shard: usize,
}

/// How a round of writing ended.
#[derive(Debug, PartialEq)]
pub(super) enum Written {
    /// Nothing is left to write.
    Clear,
    /// The client does not take more now.
    Blocked,
    /// Some was written; there is more.
    More,
    /// The reader fell off the log's tail, and that is to end it.
    FellOff(Gap),
    /// The journal cannot be read.
    Unreadable,
}

/// The log's event of a connection that the system fails.
pub(super) const FAILED: &str = "connection failed, ending the session";

/// What a writer does with a reader that falls off the tail.
pub(super) type EndsOnGap = bool;

impl<L: Link> Outlet<L> {
    pub(super) fn new(opened: Opened<L>) -> Self {
        Outlet {
            queue: Queue::new(opened.link.framing()),
            link: opened.link,
            session: opened.session,
            dialect: opened.dialect,
            longest: opened.max_frame + Dialect::MESSAGE_OVERHEAD,
            log: opened.log,
            shard: opened.shard,
            rest: Rest::default(),
            reader: None,
            last_answer: None,
            failure: None,
            sent_before_break: None,
            write_shut: false,
        }
    }

    pub(super) fn link(&mut self) -> &mut L {
        &mut self.link
    }

    pub(super) fn link_ref(&self) -> &L {
        &self.link
    }

    pub(super) fn framing(&self) -> Framing {
        self.queue.framing()
    }

    /// Queues an answer.
    pub(super) fn answer(&mut self, frame: &ServerFrame<'_>) {
        if !self.is_broken() {
            let framing = self.queue.framing();
            let is_sent = self.dialect.encode(framing, frame, self.queue.bytes());
            self.queue.mark_answer(is_sent, id_of(frame));
            if !is_notice(frame) {
                self.last_answer = Some(self.reached());
            }
        }
    }

    /// Whether a client that has read the broadcast `seq` has read every answer too.
    pub(super) fn has_no_answer_behind(&self, seq: Seq) -> bool {
        self.last_answer.is_none_or(|behind| behind < seq)
    }

    /// Queues an answer, if it is no longer than the client can take it. Whether it is.
    pub(super) fn answer_within(&mut self, frame: &ServerFrame<'_>) -> bool {
        let end = self.queue.end();
        self.answer(frame);
        let is_line = self.dialect != Dialect::Cbor && self.framing() == Framing::Stream;
        let fits = is_line || self.queue.since(end) <= self.longest;
        if !fits {
            self.queue.take_back(end);
        }
        fits
    }

    /// Whether something waits that only the client's reading moves on.
    pub(super) fn has_unwritten(&self) -> bool {
        let is_empty = self.rest.bytes.is_empty() && self.queue.unwritten().is_empty();
        !self.is_broken() && !is_empty
    }

    /// Releases memory that the queued bytes do not need.
    pub(super) fn release_memory(&mut self) {
        self.queue.shrink();
    }

    /// Whether more answers may be made.
    pub(super) fn has_room(&self) -> bool {
        self.queue.has_room()
    }

    /// Whether the log's bytes are sent as they are.
    fn is_log_native(&self) -> bool {
        self.dialect.is_log_native(self.queue.framing())
    }

    /// From now on, what follows `after` is sent, to this user or, where nobody logs in,
    /// to this peer.
    pub(super) fn follow(&mut self, after: Seq, user: Arc<str>) {
        let takes_files = self.is_log_native() && self.link.sends_files();
        self.reader = Some(Reader::new(&self.log, after, takes_files, user));
    }

    /// Whether broadcasts are sent, or were.
    pub(super) fn follows(&self) -> bool {
        self.reader.is_some()
    }

    /// The last seq that is on its way or has gone.
    pub(super) fn reached(&self) -> Seq {
        self.reader.as_ref().map_or(Seq::ZERO, Reader::seq)
    }

    /// The last seq that has been written whole.
    pub(super) fn sent(&self) -> Seq {
        let Some(reader) = &self.reader else {
            return Seq::ZERO;
        };
        if let Some(sent) = self.sent_before_break {
            return sent;
        }
        if !self.is_log_native() {
            return reader.clear;
        }
        if let Some(gap) = self.queue.first_gap() {
            return Seq(gap.from.0 - 1);
        }
        match self.rest.bytes.is_empty() {
            true => reader.seq(),
            false => Seq(reader.seq().0 - 1),
        }
    }

    /// The latest gaps that the client was told.
    pub(super) fn gaps(&self) -> &[(Seq, Seq)] {
        self.reader.as_ref().map_or(&[], |reader| &reader.gaps)
    }

    /// Up to where there were gaps that are no longer kept.
    pub(super) fn gaps_unlisted_to(&self) -> Option<Seq> {
        self.reader
            .as_ref()
            .and_then(|reader| reader.gaps_unlisted_to)
    }

    pub(super) fn is_broken(&self) -> bool {
        self.failure.is_some()
    }

    /// Whether nothing more can be written, and not because the peer has gone.
    pub(super) fn has_failed_on_own_side(&self) -> bool {
        self.failure == Some(Failure::OwnSide)
    }

    /// Nothing more can be written: what is queued goes nowhere. The first failure counts.
    pub(super) fn give_up(&mut self, failure: Failure) {
        self.sent_before_break = Some(self.sent());
        self.failure.get_or_insert(failure);
        self.rest = Rest::default();
        self.queue = Queue::new(self.queue.framing());
        self.stop_following();
    }

    /// Gives up after an error of the link, which says whose failure it is.
    fn fail(&mut self, error: &io::Error) -> Written {
        let failure = match self.link.failure_of(error) {
            Failure::PeerGone => Failure::PeerGone,
            Failure::Transient | Failure::MessageTooLong | Failure::OwnSide => Failure::OwnSide,
        };
        let session = self.session;
        match failure {
            Failure::OwnSide => tracing::warn!(%session, direction = "write", %error, "{FAILED}"),
            _ => tracing::debug!(%session, %error, "writing failed"),
        }
        self.give_up(failure);
        Written::Clear
    }

    /// Holds nobody back any more.
    pub(super) fn stop_following(&mut self) {
        if let Some(reader) = &mut self.reader {
            reader.paced.let_go();
            reader.seat = None;
        }
    }

    /// Whether nothing waits to be written but what is in the log.
    pub(super) fn is_clear(&self) -> bool {
        self.rest.bytes.is_empty() && self.queue.is_clear()
    }

    /// Shuts the write side: the client sees the end after the last byte.
    pub(super) fn shut(&mut self, cx: &mut TaskContext<'_>) {
        if self.write_shut || self.is_broken() {
            return;
        }
        // What the link says before its end may have to wait: it is asked again.
        let shut = Pin::new(&mut self.link).poll_shutdown(cx);
        self.write_shut = shut.is_ready();
        if let Poll::Ready(Err(error)) = shut {
            tracing::debug!(session = %self.session, %error, "the write side could not be shut");
        }
    }

    /// Writes once: what is queued and, up to `until`, what the log holds.
    pub(super) fn write(
        &mut self,
        until: Option<Seq>,
        ends_on_gap: EndsOnGap,
        cx: &mut TaskContext<'_>,
    ) -> Written {
        if self.is_broken() {
            return Written::Clear;
        }
        let written = match self.framing() {
            Framing::Stream => self.write_stream(until, ends_on_gap, cx),
            Framing::Messages => self.send_messages(until, ends_on_gap, cx),
        };
        match written {
            Written::Clear => self.flush(cx),
            other => other,
        }
    }

    /// A link may hold what it has taken: it is moved on as the client takes more.
    fn flush(&mut self, cx: &mut TaskContext<'_>) -> Written {
        if self.is_broken() || self.write_shut {
            return Written::Clear;
        }
        match Pin::new(&mut self.link).poll_flush(cx) {
            Poll::Ready(Ok(())) => Written::Clear,
            Poll::Pending => Written::Blocked,
            Poll::Ready(Err(error)) => self.fail(&error),
        }
    }

    /// A reader of the journal holds nobody back: it cannot fall off that.
    fn note_lag(&mut self) {
        if let Some(reader) = &mut self.reader
            && reader.past.is_none()
        {
            let position = reader.cursor.position();
            let written = self.log.written();
            reader.paced.note(position, reader.taken, written);
        }
    }

    /// What the log, or the journal, has for this session; a gap becomes an answer
    /// on the way.
    fn next_slices(
        &mut self,
        until: Option<Seq>,
        ends_on_gap: EndsOnGap,
        cx: &mut TaskContext<'_>,
    ) -> Result<Slices, Written> {
        let native = self.is_log_native();
        if self.reader.is_none() || !(native || self.has_room()) {
            return Ok(Slices::new());
        }
        loop {
            let Some(reader) = &mut self.reader else {
                return Ok(Slices::new());
            };
            if until.is_some_and(|until| reader.seq() >= until) {
                reader.paced.let_go();
                return Ok(Slices::new());
            }
            let found = match reader.past {
                None => reader.read_log(&self.log, self.shard, cx),
                Some(_) => reader.read_past(&self.log, cx)?,
            };
            match found {
                Found::Nothing => return Ok(Slices::new()),
                Found::Elsewhere => {}
                // What a resume cannot give is told, whatever the policy.
                Found::Gap(gap) if ends_on_gap && !reader.is_fresh => {
                    reader.stay_before(&self.log, gap);
                    return Err(Written::FellOff(gap));
                }
                Found::Gap(gap) => {
                    reader.is_fresh = false;
                    reader.skip(gap);
                    self.queue_gap(gap);
                }
                Found::Frames(slices) if native => {
                    reader.is_fresh = false;
                    return Ok(slices);
                }
                Found::Frames(slices) => {
                    reader.is_fresh = false;
                    self.render(&slices);
                    // Where there was nothing for this client, it may be further on.
                    if !self.queue.is_clear() {
                        return Ok(Slices::new());
                    }
                }
            }
        }
    }
}

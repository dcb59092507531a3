//! Output: answers from a small queue, broadcasts from the log.

mod answers;
mod broadcasts;
mod hearing;
#[cfg(all(test, shuttle))]
mod interleavings;
mod past;
mod queue;
mod reader;
mod replace;
#[cfg(any(test, fuzzing))]
pub(super) mod saved;
mod search;
mod stream;
#[cfg(test)]
mod tests;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use self::answers::{id_of, is_notice};
use self::queue::Queue;
pub(super) use self::reader::Recipient;
use self::reader::{Reader, Upcoming};
use super::core::effects::{Output, Reception};
use crate::actors::link::Link;
use crate::counters::Counters;
use crate::framing::{Failure, Framing};
use crate::log::{KeptSearch, Log, PartialFrame, Slices};
use crate::wire::{Dialect, Gap, Seq, ServerFrame, SessionId};

/// A connection's outgoing side.
#[derive(Debug)]
pub(super) struct Outlet {
    session: SessionId,
    dialect: Dialect,
    /// The longest message that may be sent, in message mode.
    longest: usize,
    log: Arc<Log>,
    counters: Arc<Counters>,
    shard: usize,
    /// The rest of a broadcast that was written in part: it goes before all else. Boxed, as it is
    /// there only while the client does not read.
    rest: Option<Box<Rest>>,
    /// Answers, and broadcasts where they do not go out as the log has them.
    queue: Queue,
    /// The search for kept values that are not queued yet: they go before any further broadcast.
    kept: Option<Box<KeptSearch>>,
    reader: Option<Reader>,
    /// The value of [`Outlet::reached`] when the last answer was queued: that one stands behind
    /// this broadcast, and before the next.
    last_answer: Option<Seq>,
    /// Boxed, as the session ends soon.
    broken: Option<Box<Broken>>,
    write_shut: bool,
}

/// A broadcast that was written in part.
#[derive(Debug)]
struct Rest {
    frame: PartialFrame,
    seq: Seq,
}

/// The break of a link, behind which nothing more can be written.
#[derive(Debug, Clone, Copy)]
struct Broken {
    failure: Failure,
    /// The last seq that had been written whole.
    sent: Seq,
}

/// The values that an outlet begins with.
pub(super) struct OutletSetup {
    pub(super) framing: Framing,
    pub(super) session: SessionId,
    pub(super) dialect: Dialect,
    pub(super) max_frame: usize,
    pub(super) log: Arc<Log>,
    pub(super) shard: usize,
    pub(super) counters: Arc<Counters>,
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

/// The broadcasts that may be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The last one, if there is one.
    pub(super) until: Option<Seq>,
    /// Whether a reader that falls off the log's tail is not told and goes on.
    pub(super) ends_on_gap: bool,
}

/// The log's event of a connection that the system fails.
pub(super) const FAILED: &str = "connection failed, ending the session";

impl Outlet {
    pub(super) fn new(setup: OutletSetup) -> Self {
        Outlet {
            queue: Queue::new(setup.framing),
            session: setup.session,
            dialect: setup.dialect,
            longest: setup.max_frame + Dialect::MESSAGE_OVERHEAD,
            log: setup.log,
            counters: setup.counters,
            shard: setup.shard,
            rest: None,
            kept: None,
            reader: None,
            last_answer: None,
            broken: None,
            write_shut: false,
        }
    }

    /// Returns the number of the session's thread, as the log counts them.
    pub(super) fn shard(&self) -> usize {
        self.shard
    }

    /// Returns the state of the output for the session's decisions.
    pub(super) fn state(&self) -> Output {
        Output {
            reached: self.reached(),
            sent: self.sent(),
            last_answer: self.last_answer,
            follows: self.reader.is_some(),
            is_clear: self.is_clear(),
            is_broken: self.is_broken(),
            has_failed: self.failure() == Some(Failure::OwnSide),
        }
    }

    fn framing(&self) -> Framing {
        self.queue.framing()
    }

    /// Returns the side whose failure broke the link.
    fn failure(&self) -> Option<Failure> {
        self.broken.as_ref().map(|broken| broken.failure)
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
        let is_empty = self.rest.is_none() && self.queue.unwritten().is_empty();
        !self.is_broken() && !is_empty
    }

    /// Releases memory that the queued bytes do not need.
    pub(super) fn release_memory(&mut self) {
        self.queue.shrink();
    }

    /// Whether more answers may be made.
    pub(super) fn has_room(&self) -> bool {
        self.queue.has_room() && self.kept.is_none()
    }

    /// Whether the log's bytes are sent as they are.
    fn is_log_native(&self) -> bool {
        let takes_slices = self.reader.as_ref().is_none_or(Reader::takes_slices);
        takes_slices && self.dialect.is_log_native(self.queue.framing())
    }

    /// Has this woken for new broadcasts instead of the task that writes.
    pub(super) fn set_broadcast_waker(&mut self, waker: Waker) {
        if let Some(reader) = &mut self.reader {
            reader.set_waker(waker);
        }
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
        if let Some(broken) = &self.broken {
            return broken.sent;
        }
        if self.queue.holds_broadcasts() {
            return reader.rendered();
        }
        if let Some(gap) = self.queue.first_gap() {
            return Seq(gap.from.0 - 1);
        }
        match self.rest {
            None => reader.seq(),
            Some(_) => Seq(reader.seq().0 - 1),
        }
    }

    /// The latest gaps that the client was told, and up to where earlier ones are not kept.
    pub(super) fn gaps(&self) -> (&[(Seq, Seq)], Option<Seq>) {
        self.reader.as_ref().map_or((&[], None), Reader::gaps)
    }

    /// Returns the client's choice, the rules about it, and the broadcasts that they kept from it, for
    /// the report.
    pub(super) fn reception(&self) -> Reception {
        self.reader
            .as_ref()
            .map_or_else(Reception::default, Reader::reception)
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Nothing more can be written: what is queued goes nowhere. The first failure counts.
    pub(super) fn give_up(&mut self, failure: Failure) {
        if self.broken.is_none() {
            let sent = self.sent();
            self.broken = Some(Box::new(Broken { failure, sent }));
        }
        self.rest = None;
        self.queue = Queue::new(self.queue.framing());
        self.kept = None;
        self.stop_following();
    }

    /// Gives up after an error of the link, which says whose failure it is.
    fn fail<L: Link>(&mut self, link: &L, error: &io::Error) -> Written {
        let failure = match link.failure_of(error) {
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
            reader.let_go();
            reader.refuse_files();
        }
    }

    /// Whether nothing waits to be written but what is in the log.
    pub(super) fn is_clear(&self) -> bool {
        self.rest.is_none() && self.queue.is_clear() && self.kept.is_none()
    }

    /// Shuts the write side: the client sees the end after the last byte.
    pub(super) fn shut<L: Link>(&mut self, link: &mut L, cx: &mut TaskContext<'_>) {
        if self.write_shut || self.is_broken() {
            return;
        }
        // The connection's last bytes may have to wait: this is called again.
        let shut = Pin::new(link).poll_shutdown(cx);
        self.write_shut = shut.is_ready();
        if let Poll::Ready(Err(error)) = shut {
            tracing::debug!(session = %self.session, %error, "the write side could not be shut");
        }
    }

    /// Writes once: what is queued and, up to `until`, what the log holds.
    pub(super) fn write<L: Link>(
        &mut self,
        link: &mut L,
        wanted: Wanted,
        cx: &mut TaskContext<'_>,
    ) -> Written {
        if self.is_broken() {
            return Written::Clear;
        }
        let written = match self.framing() {
            Framing::Stream => self.write_stream(link, wanted, cx),
            Framing::Messages => self.send_messages(link, wanted, cx),
        };
        match written {
            Written::Clear => self.flush(link, cx),
            other => other,
        }
    }

    /// A link may hold what it has taken: it is moved on as the client takes more.
    fn flush<L: Link>(&mut self, link: &mut L, cx: &mut TaskContext<'_>) -> Written {
        if self.is_broken() || self.write_shut {
            return Written::Clear;
        }
        match Pin::new(&mut *link).poll_flush(cx) {
            Poll::Ready(Ok(())) => Written::Clear,
            Poll::Pending => Written::Blocked,
            Poll::Ready(Err(error)) => self.fail(link, &error),
        }
    }

    fn note_lag(&mut self) {
        if let Some(reader) = &mut self.reader {
            reader.note_lag(&self.log);
        }
    }

    /// Returns what the log, or the journal, has for this session. A gap becomes an answer on
    /// the way.
    fn next_slices(&mut self, wanted: Wanted, cx: &mut TaskContext<'_>) -> Result<Slices, Written> {
        self.reader.iter_mut().for_each(Reader::update_rules);
        self.queue_kept();
        if self.kept.is_some() || (!self.is_log_native() && !self.has_room()) {
            return Ok(Slices::new());
        }
        while let Some(reader) = &mut self.reader {
            if wanted.until.is_some_and(|until| reader.seq() >= until) {
                reader.let_go();
                break;
            }
            // A gap right behind a resume is told, whatever the policy.
            let ends_on_gap = wanted.ends_on_gap && !reader.is_fresh();
            let upcoming = reader.next(&self.log, self.shard, wanted.until, cx);
            // Behind the read: what the rules denied before it was published is never sent.
            reader.update_rules();
            match upcoming {
                Upcoming::Nothing => break,
                Upcoming::Moved => {}
                Upcoming::Searched if self.queue.is_clear() && self.rest.is_none() => {
                    return Err(Written::More);
                }
                Upcoming::Searched => break,
                Upcoming::Unreadable => return Err(Written::Unreadable),
                Upcoming::Gap(gap) if ends_on_gap => {
                    reader.stay_before(&self.log, gap);
                    return Err(Written::FellOff(gap));
                }
                Upcoming::Gap(gap) => {
                    reader.skip(gap);
                    self.queue_gap(gap);
                }
                Upcoming::Passed(to) => self.queue_passed(to),
                Upcoming::Selected(frames) => {
                    self.render_selected(&frames);
                    if !self.queue.is_clear() {
                        break;
                    }
                }
                // A chunk of the journal may have messages to others: it is not sent as it is.
                Upcoming::Frames(slices) if self.is_log_native() => return Ok(slices),
                Upcoming::Frames(slices) => {
                    self.render(&slices);
                    // Where there was nothing for this client, there may be more behind it.
                    if !self.queue.is_clear() {
                        break;
                    }
                }
            }
        }
        Ok(Slices::new())
    }
}

//! What goes to the client: answers from a small queue, broadcasts from the log.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use smallvec::SmallVec;

use super::past::{Look, Past};
use crate::actors::link::Link;
use crate::actors::spare;
use crate::log::{Cursor, Lag, Log, Mirrored, Place, Read, Rest, Seat, Slices};
use crate::wire::{Decoded, Dialect, Gap, Seq, ServerFrame, cbor};

/// While more than this waits to be written, the client is not read from.
const ANSWERS: usize = 64 * 1024;

/// What one write takes from the log, about.
const SLICES: usize = 32;
const BATCH: usize = 256 * 1024;

/// Less than this is sooner copied than handed out.
const SENT_AS_FILE: usize = 16 * 1024;

/// A link's outgoing side.
#[derive(Debug)]
pub(super) struct Outlet<L> {
    link: L,
    dialect: Dialect,
    log: Arc<Log>,
    shard: usize,
    /// The rest of a broadcast that was written in part: it goes before all else.
    rest: Rest,
    answers: Vec<u8>,
    /// How much of the answers has been written.
    answered: usize,
    reader: Option<Reader>,
    broken: bool,
    /// The last seq that had been written whole when the link broke.
    sent_before_break: Option<Seq>,
    write_shut: bool,
}

/// The buffer, with memory of some length where it had none.
fn at_hand(buffer: &mut Vec<u8>) -> &mut Vec<u8> {
    if buffer.capacity() == 0 {
        *buffer = spare::take();
    }
    buffer
}

/// The session's place in the log.
#[derive(Debug)]
struct Reader {
    cursor: Cursor,
    /// Where it is instead, while the log no longer holds what comes next.
    past: Option<Box<Past>>,
    /// Nothing has been read since the login.
    is_fresh: bool,
    /// The cursor's seq when everything had been written.
    clear: Seq,
    /// Bytes of broadcasts written so far.
    taken: u64,
    lag: Option<Lag>,
    place: Place,
    /// Held by a reader that can be sent a file's bytes.
    seat: Option<Seat>,
    /// The latest gaps that the client was told.
    gaps: Vec<(Seq, Seq)>,
    /// Gaps that are queued: until they are written, nobody was told.
    untold: SmallVec<[Gap; 1]>,
}

/// What a reader finds at its place.
enum Found {
    /// Nothing yet; the task is woken.
    Nothing,
    /// It is to look again: its place has changed.
    Elsewhere,
    Gap(Gap),
    Frames(Slices),
}

/// How many of the gaps that a client was told are kept for the report.
const GAPS: usize = 16;

impl Reader {
    /// The last seq that was read.
    fn seq(&self) -> Seq {
        let past = self.past.as_ref().map(|past| past.seq());
        past.unwrap_or_else(|| self.cursor.seq())
    }

    /// Moves behind the frames that `written` bytes of `slices` touched; the rest of
    /// the last one.
    fn advance(&mut self, log: &Log, slices: &Slices, written: usize) -> Rest {
        match &mut self.past {
            Some(past) => past.advance(written),
            None => self.cursor.advance(log, slices, written),
        }
    }

    fn read_log(&mut self, log: &Log, shard: usize, cx: &mut TaskContext<'_>) -> Found {
        let here = self.cursor;
        match log.read(&mut self.cursor, SLICES, BATCH) {
            Read::Head => {
                self.lag = None;
                log.bell(shard).wait(&mut self.place, cx.waker());
                if log.is_at_head(&self.cursor) {
                    return Found::Nothing;
                }
                Found::Elsewhere
            }
            Read::Frames(slices) => Found::Frames(slices),
            Read::Gap(_) if log.past().is_some() => {
                self.lag = None;
                self.past = Some(Box::new(Past::behind(here.seq())));
                Found::Elsewhere
            }
            Read::Gap(gap) => Found::Gap(gap),
        }
    }

    fn read_past(&mut self, log: &Log, cx: &mut TaskContext<'_>) -> Result<Found, Written> {
        let Some(past) = &mut self.past else {
            return Ok(Found::Elsewhere);
        };
        Ok(match past.look(log, cx) {
            Look::Waiting => Found::Nothing,
            Look::Frames(slices) => Found::Frames(slices),
            Look::Gap(gap) => Found::Gap(gap),
            Look::Failed => return Err(Written::Unreadable),
            Look::Met => {
                self.cursor = log.cursor_after(past.seq());
                self.past = None;
                Found::Elsewhere
            }
        })
    }

    /// Goes on behind a gap that is told; the log's cursor does so by itself.
    fn skip(&mut self, gap: Gap) {
        self.untold.push(gap);
        if let Some(past) = &mut self.past {
            past.skip(gap);
        }
    }

    /// Goes back in front of a gap: what it has got is what it is told at the end.
    fn stay_before(&mut self, log: &Log, gap: Gap) {
        if self.past.is_none() {
            self.cursor = log.cursor_after(Seq(gap.from.0 - 1));
        }
    }

    /// The gaps that were queued have been written.
    fn note_told(&mut self) {
        for gap in self.untold.drain(..) {
            if self.gaps.len() == GAPS {
                self.gaps.remove(0);
            }
            self.gaps.push((gap.from, gap.to));
        }
    }
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

/// What a writer does with a reader that falls off the tail.
pub(super) type EndsOnGap = bool;

impl<L: Link> Outlet<L> {
    pub(super) fn new(link: L, dialect: Dialect, log: Arc<Log>, shard: usize) -> Self {
        Outlet {
            link,
            dialect,
            log,
            shard,
            rest: Rest::default(),
            answers: Vec::new(),
            answered: 0,
            reader: None,
            broken: false,
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

    /// Queues an answer.
    pub(super) fn answer(&mut self, frame: &ServerFrame<'_>) {
        if !self.broken {
            let answers = at_hand(&mut self.answers);
            self.dialect.encode(frame, answers);
        }
    }

    /// The length of the whole queue: a mark to measure an answer by.
    pub(super) fn queued(&self) -> usize {
        self.answers.len()
    }

    /// Takes back what was queued since `mark`, a value of [`Outlet::queued`].
    pub(super) fn take_back(&mut self, mark: usize) {
        self.answers.truncate(mark);
    }

    /// Whether more answers may be made.
    pub(super) fn has_room(&self) -> bool {
        self.answers.len() - self.answered < ANSWERS
    }

    /// From now on, what follows `after` is sent.
    pub(super) fn follow(&mut self, after: Seq) {
        let takes_files = self.dialect.is_log_native() && self.link.sends_files();
        self.reader = Some(Reader {
            seat: takes_files.then(|| self.log.seat()),
            cursor: self.log.cursor_after(after),
            past: None,
            is_fresh: true,
            clear: after,
            taken: 0,
            lag: None,
            place: Place::default(),
            gaps: Vec::new(),
            untold: SmallVec::new(),
        });
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
        if let Some(gap) = reader.untold.first() {
            return Seq(gap.from.0 - 1);
        }
        match (self.dialect.is_log_native(), self.rest.bytes.is_empty()) {
            // Rendered broadcasts wait among the answers.
            (false, _) if !self.is_clear() => reader.clear,
            (true, false) => Seq(reader.seq().0 - 1),
            _ => reader.seq(),
        }
    }

    /// The latest gaps that the client was told.
    pub(super) fn gaps(&self) -> &[(Seq, Seq)] {
        self.reader.as_ref().map_or(&[], |reader| &reader.gaps)
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Nothing more can be written: what is queued goes nowhere.
    pub(super) fn give_up(&mut self) {
        self.sent_before_break = Some(self.sent());
        self.broken = true;
        self.rest = Rest::default();
        self.answers = Vec::new();
        self.answered = 0;
        self.stop_following();
    }

    /// Holds nobody back any more.
    pub(super) fn stop_following(&mut self) {
        if let Some(reader) = &mut self.reader {
            (reader.lag, reader.seat) = (None, None);
        }
    }

    /// Whether nothing waits to be written but what is in the log.
    pub(super) fn is_clear(&self) -> bool {
        self.rest.bytes.is_empty() && self.answered == self.answers.len()
    }

    /// Shuts the write side: the client sees the end after the last byte.
    pub(super) fn shut(&mut self, cx: &mut TaskContext<'_>) {
        if !self.write_shut && !self.broken {
            self.write_shut = true;
            if let Poll::Ready(Err(error)) = Pin::new(&mut self.link).poll_shutdown(cx) {
                tracing::debug!(%error, "the write side could not be shut");
            }
        }
    }

    /// Writes once: what is queued and, up to `until`, what the log holds.
    pub(super) fn write(
        &mut self,
        until: Option<Seq>,
        ends_on_gap: EndsOnGap,
        cx: &mut TaskContext<'_>,
    ) -> Written {
        if self.broken {
            return Written::Clear;
        }
        let slices = match self.next_slices(until, ends_on_gap, cx) {
            Ok(slices) => slices,
            Err(stopped) => return stopped,
        };
        if self.is_clear() && slices.is_empty() {
            return Written::Clear;
        }
        let written = match self.mirrored_run(&slices) {
            Some((place, length)) => {
                let (file, offset) = (place.file(), place.offset());
                self.link.poll_send_file(cx, file, offset, length)
            }
            None => self.write_vectored(&slices, cx),
        };
        match written {
            Poll::Pending => {
                self.note_lag();
                Written::Blocked
            }
            Poll::Ready(Ok(length)) if length > 0 => {
                self.account(&slices, length);
                Written::More
            }
            Poll::Ready(Err(error))
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
                ) && self.gives_up_seat() =>
            {
                Written::More // nothing was sent: it is copied from now on
            }
            Poll::Ready(outcome) => {
                tracing::debug!(?outcome, "writing failed");
                self.give_up();
                Written::Clear
            }
        }
    }

    /// What can be sent from one file: the rest and what follows it, or the front
    /// of the slices. `None` where it is little, or answers stand before it.
    fn mirrored_run(&self, slices: &Slices) -> Option<(Mirrored, usize)> {
        self.reader.as_ref()?.seat.as_ref()?;
        if self.answered < self.answers.len() {
            return None;
        }
        let rest = (!self.rest.bytes.is_empty()).then_some((&self.rest.bytes, &self.rest.mirrored));
        let logged = slices.iter().map(|slice| (&slice.bytes, &slice.mirrored));
        let mut pieces = rest.into_iter().chain(logged);
        let (bytes, first) = pieces.next()?;
        let first = first.as_ref()?;
        let mut length = bytes.len();
        for (bytes, place) in pieces {
            match place {
                Some(place) if first.is_followed_by(place, length) => length += bytes.len(),
                _ => break,
            }
        }
        (length >= SENT_AS_FILE).then(|| (first.clone(), length))
    }

    fn gives_up_seat(&mut self) -> bool {
        let seat = self.reader.as_mut().and_then(|reader| reader.seat.take());
        seat.is_some()
    }

    fn write_vectored(
        &mut self,
        slices: &Slices,
        cx: &mut TaskContext<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut parts: SmallVec<[IoSlice<'_>; SLICES]> = SmallVec::new();
        let queued = [&self.rest.bytes[..], &self.answers[self.answered..]];
        let logged = slices.iter().map(|slice| &slice.bytes[..]);
        for part in queued.into_iter().chain(logged).filter(|p| !p.is_empty()) {
            parts.push(IoSlice::new(part));
        }
        let link = Pin::new(&mut self.link);
        match &parts[..] {
            [one] => link.poll_write(cx, one),
            many => link.poll_write_vectored(cx, many),
        }
    }

    /// Notes that the first `length` bytes of rest, answers and slices have gone.
    fn account(&mut self, slices: &Slices, length: usize) {
        let mut left = length;
        let of_rest = left.min(self.rest.bytes.len());
        self.rest.take_off(of_rest);
        left -= of_rest;
        let of_answers = left.min(self.answers.len() - self.answered);
        self.answered += of_answers;
        left -= of_answers;
        if self.answered == self.answers.len() {
            if let Some(reader) = &mut self.reader {
                reader.note_told();
            }
            spare::give(std::mem::take(&mut self.answers));
            self.answered = 0;
        }
        if let Some(reader) = &mut self.reader {
            if left > 0 {
                self.rest = reader.advance(&self.log, slices, left);
            }
            reader.taken += (length - of_answers) as u64;
        }
        if self.is_clear()
            && let Some(reader) = &mut self.reader
        {
            reader.clear = reader.seq();
        }
    }

    /// A reader of the journal holds nobody back: it cannot fall off that.
    fn note_lag(&mut self) {
        if let Some(reader) = &mut self.reader
            && reader.past.is_none()
        {
            let position = reader.cursor.position();
            self.log
                .pace()
                .note(&mut reader.lag, position, reader.taken);
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
        let native = self.dialect.is_log_native();
        if self.reader.is_none() || !(native || self.has_room()) {
            return Ok(Slices::new());
        }
        loop {
            let Some(reader) = &mut self.reader else {
                return Ok(Slices::new());
            };
            if until.is_some_and(|until| reader.seq() >= until) {
                reader.lag = None;
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
                    self.answer(&ServerFrame::Gap(gap));
                }
                Found::Frames(slices) if native => {
                    reader.is_fresh = false;
                    return Ok(slices);
                }
                Found::Frames(slices) => {
                    reader.is_fresh = false;
                    self.render(&slices);
                    return Ok(Slices::new());
                }
            }
        }
    }

    /// Turns broadcasts into answers, for a dialect that the log is not kept in.
    fn render(&mut self, slices: &Slices) {
        let mut length = 0;
        for slice in slices {
            let mut bytes = &slice.bytes[..];
            while let Ok(Decoded::Frame(frame, used)) = cbor::decode_server(bytes, usize::MAX) {
                self.dialect.encode(&frame, at_hand(&mut self.answers));
                bytes = &bytes[used..];
            }
            length += slice.bytes.len();
        }
        if let Some(reader) = &mut self.reader {
            reader.advance(&self.log, slices, length);
        }
    }
}

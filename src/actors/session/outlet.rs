//! What goes to the client: answers from a small queue, broadcasts from the log.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use smallvec::SmallVec;

use super::reader::{Found, Reader, SLICES};
use crate::actors::link::Link;
use crate::actors::spare;
use crate::log::{Log, Mirrored, Rest, Slices};
use crate::wire::{Decoded, Dialect, Gap, Seq, ServerFrame, cbor};

/// While more than this waits to be written, the client is not read from.
const ANSWERS: usize = 64 * 1024;

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

/// What stands together in one file at the front of `pieces`, each with its length,
/// where it is worth handing out: its place and length.
fn run(mut pieces: impl Iterator<Item = (usize, Option<Mirrored>)>) -> Option<(Mirrored, usize)> {
    let (mut length, first) = pieces.next()?;
    let first = first?;
    for (more, place) in pieces {
        match place {
            Some(place) if first.is_followed_by(&place, length) => length += more,
            _ => break,
        }
    }
    (length >= SENT_AS_FILE).then_some((first, length))
}

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
            self.dialect.encode(self.link.framing(), frame, answers);
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
        let takes_files =
            self.dialect.is_log_native(self.link.framing()) && self.link.sends_files();
        self.reader = Some(Reader::new(&self.log, after, takes_files));
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
        match (
            self.dialect.is_log_native(self.link.framing()),
            self.rest.bytes.is_empty(),
        ) {
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
        let (slices, run) = self.choose(slices);
        let written = match run {
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

    /// What is written now: a run of a file, or copies of all. Where answers stand
    /// before a run, they go first, alone.
    fn choose(&self, slices: Slices) -> (Slices, Option<(Mirrored, usize)>) {
        let takes_files = self
            .reader
            .as_ref()
            .is_some_and(|reader| reader.seat.is_some());
        if !takes_files {
            return (slices, None);
        }
        let logged = slices
            .iter()
            .map(|slice| (slice.bytes.len(), slice.mirrored.clone()));
        if self.answered < self.answers.len() {
            let follows = run(logged).is_some();
            return (if follows { Slices::new() } else { slices }, None);
        }
        let Rest { bytes, mirrored } = &self.rest;
        let rest = (!bytes.is_empty()).then(|| (bytes.len(), mirrored.upgrade()));
        let run = run(rest.into_iter().chain(logged));
        (slices, run)
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
        let native = self.dialect.is_log_native(self.link.framing());
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
                self.dialect
                    .encode(self.link.framing(), &frame, at_hand(&mut self.answers));
                bytes = &bytes[used..];
            }
            length += slice.bytes.len();
        }
        if let Some(reader) = &mut self.reader {
            reader.advance(&self.log, slices, length);
        }
    }
}

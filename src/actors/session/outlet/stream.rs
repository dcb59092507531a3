//! Writing to a stream: what is queued, and the log's own bytes behind it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use smallvec::SmallVec;

use super::reader::{Reader, SLICES};
use super::{Outlet, Rest, Wanted, Written};
use crate::actors::link::Link;
use crate::log::{PageRange, PartialFrame, Slices};
use crate::wire::Seq;

/// Less than this is sooner copied than handed out.
const SENT_AS_FILE: usize = 16 * 1024;

/// Returns the run of one file at the front of `pieces`, each with its length,
/// where it is worth handing out: its place and length.
fn run(mut pieces: impl Iterator<Item = (usize, Option<PageRange>)>) -> Option<(PageRange, usize)> {
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

impl Outlet {
    /// Writes once.
    pub(super) fn write_stream<L: Link>(
        &mut self,
        link: &mut L,
        wanted: Wanted,
        cx: &mut TaskContext<'_>,
    ) -> Written {
        let searched = self.kept.is_some();
        let slices = match self.next_slices(wanted, cx) {
            Ok(slices) => slices,
            Err(stopped) => return stopped,
        };
        if searched && !self.has_unwritten() {
            return Written::More; // no kept value was found, or no further one: there may be room
        }
        if self.is_clear() && slices.is_empty() {
            return Written::Clear;
        }
        let (slices, run) = self.choose(slices);
        let written = match run {
            Some((place, length)) => {
                let (file, offset) = (place.file(), place.offset());
                link.poll_send_file(cx, file, offset, length)
            }
            None => self.write_vectored(link, &slices, cx),
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
                ) && self.refuses_files() =>
            {
                Written::More // nothing was sent: it is copied from now on
            }
            Poll::Ready(Ok(_)) => self.fail(link, &io::ErrorKind::WriteZero.into()),
            Poll::Ready(Err(error)) => self.fail(link, &error),
        }
    }

    /// Chooses what is written now: a run of a file, or copies of all. Where answers stand
    /// before a run, they go first, alone.
    fn choose(&self, slices: Slices) -> (Slices, Option<(PageRange, usize)>) {
        let takes_files = self.reader.as_ref().is_some_and(Reader::takes_files);
        if !takes_files {
            return (slices, None);
        }
        let logged = slices
            .iter()
            .map(|slice| (slice.bytes.len(), slice.pages.clone()));
        if !self.queue.unwritten().is_empty() {
            let follows = run(logged).is_some();
            return (if follows { Slices::new() } else { slices }, None);
        }
        let rest = self.rest.as_deref().map(|rest| {
            let PartialFrame { bytes, pages } = &rest.frame;
            (bytes.len(), pages.upgrade())
        });
        let run = run(rest.into_iter().chain(logged));
        (slices, run)
    }

    fn rest_bytes(&self) -> &[u8] {
        self.rest.as_ref().map_or(&[], |rest| &rest.frame.bytes)
    }

    fn refuses_files(&mut self) -> bool {
        self.reader.as_mut().is_some_and(Reader::refuse_files)
    }

    fn write_vectored<L: Link>(
        &self,
        link: &mut L,
        slices: &Slices,
        cx: &mut TaskContext<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut parts: SmallVec<[IoSlice<'_>; SLICES]> = SmallVec::new();
        let queued = [self.rest_bytes(), self.queue.unwritten()];
        let logged = slices.iter().map(|slice| &slice.bytes[..]);
        for part in queued.into_iter().chain(logged).filter(|p| !p.is_empty()) {
            parts.push(IoSlice::new(part));
        }
        let link = Pin::new(link);
        match &parts[..] {
            [one] => link.poll_write(cx, one),
            many => link.poll_write_vectored(cx, many),
        }
    }

    /// Notes that the first `length` bytes of rest, answers and slices have gone.
    fn account(&mut self, slices: &Slices, length: usize) {
        self.counters.sent(length as u64);
        let mut left = length;
        let of_rest = left.min(self.rest_bytes().len());
        if let Some(rest) = &mut self.rest {
            rest.frame.consume(of_rest);
        }
        let is_written = |rest: &mut Box<Rest>| rest.frame.bytes.is_empty();
        if let Some(rest) = self.rest.take_if(is_written)
            && let Some(reader) = &mut self.reader
        {
            reader.note_rendered(rest.seq);
        }
        left -= of_rest;
        let queued = left.min(self.queue.unwritten().len());
        self.queue.wrote(queued);
        left -= queued;
        let native = self.is_log_native();
        if let Some(reader) = &mut self.reader {
            if left > 0 {
                let before = reader.read_seq();
                let frame = reader.advance(&self.log, slices, left);
                let seq = reader.read_seq();
                self.counters.delivered(seq.0.saturating_sub(before.0));
                let is_whole = frame.bytes.is_empty();
                reader.note_rendered(Seq(seq.0 - u64::from(!is_whole)));
                self.rest = (!is_whole).then(|| Box::new(Rest { frame, seq }));
            }
            let of_broadcasts = if native { length - queued } else { length };
            reader.note_taken(of_broadcasts as u64);
        }
        self.note_done();
    }
}

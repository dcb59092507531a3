//! A session's place among the broadcasts, and what it finds there.

use std::sync::Arc;
use std::task::Context as TaskContext;

use super::outlet::Written;
use super::past::{Look, Past};
use crate::log::{Cursor, Log, PacedReader, Place, Read, Rest, Seat, Slices};
use crate::wire::{Gap, Seq};

/// What one write takes from the log, about.
pub(super) const SLICES: usize = 32;
const BATCH: usize = 256 * 1024;

/// The session's place in the log.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) cursor: Cursor,
    /// Where it is instead, while the log no longer holds what comes next.
    pub(super) past: Option<Box<Past>>,
    /// Nothing has been read since the login.
    pub(super) is_fresh: bool,
    /// The last broadcast that was written, where they are rendered first.
    pub(super) clear: Seq,
    /// Bytes of broadcasts written so far.
    pub(super) taken: u64,
    /// The reader as publishers see it.
    pub(super) paced: PacedReader,
    pub(super) place: Place,
    /// Held by a reader that can be sent a file's bytes.
    pub(super) seat: Option<Seat>,
    /// The latest gaps that the client was told.
    pub(super) gaps: Vec<(Seq, Seq)>,
    /// Earlier ones, up to this seq, are not kept.
    pub(super) gaps_unlisted_to: Option<Seq>,
}

/// What a reader finds at its place.
pub(super) enum Found {
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
    /// A reader of what follows `after`, of this user, or this peer where nobody logs in.
    pub(super) fn new(log: &Arc<Log>, after: Seq, takes_files: bool, user: Arc<str>) -> Reader {
        Reader {
            cursor: log.cursor_after(after),
            past: None,
            is_fresh: true,
            clear: after,
            taken: 0,
            paced: log.pace().reader(Some(user)),
            place: Place::default(),
            seat: takes_files.then(|| log.seat()),
            gaps: Vec::new(),
            gaps_unlisted_to: None,
        }
    }

    /// The last seq that was read.
    pub(super) fn seq(&self) -> Seq {
        let past = self.past.as_ref().map(|past| past.seq());
        past.unwrap_or_else(|| self.cursor.seq())
    }

    /// Moves behind the frames that `written` bytes of `slices` touched; the rest of
    /// the last one.
    pub(super) fn advance(&mut self, log: &Log, slices: &Slices, written: usize) -> Rest {
        match &mut self.past {
            Some(past) => past.advance(written),
            None => self.cursor.advance(log, slices, written),
        }
    }

    pub(super) fn read_log(&mut self, log: &Log, shard: usize, cx: &mut TaskContext<'_>) -> Found {
        let here = self.cursor;
        match log.read(&mut self.cursor, SLICES, BATCH) {
            Read::Head => {
                self.paced.note_caught_up(self.taken);
                log.bell(shard).wait(&mut self.place, cx.waker());
                if log.is_at_head(&self.cursor) {
                    return Found::Nothing;
                }
                Found::Elsewhere
            }
            Read::Frames(slices) => Found::Frames(slices),
            Read::Gap(_) if log.past().is_some() => {
                self.paced.let_go();
                self.past = Some(Box::new(Past::behind(here.seq())));
                Found::Elsewhere
            }
            Read::Gap(gap) => {
                self.paced.let_go();
                Found::Gap(gap)
            }
        }
    }

    pub(super) fn read_past(
        &mut self,
        log: &Log,
        cx: &mut TaskContext<'_>,
    ) -> Result<Found, Written> {
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
    pub(super) fn skip(&mut self, gap: Gap) {
        if let Some(past) = &mut self.past {
            past.skip(gap);
        }
    }

    /// Goes back in front of a gap: what it has got is what it is told at the end.
    pub(super) fn stay_before(&mut self, log: &Log, gap: Gap) {
        if self.past.is_none() {
            self.cursor = log.cursor_after(Seq(gap.from.0 - 1));
        }
    }

    /// A gap has been written, or is one that this client is not told of.
    pub(super) fn note_told(&mut self, gap: Gap) {
        if self.gaps.len() == GAPS {
            let (_, to) = self.gaps.remove(0);
            self.gaps_unlisted_to = Some(to);
        }
        self.gaps.push((gap.from, gap.to));
    }
}

#[cfg(all(test, shuttle))]
mod interleavings;

//! A session's place among the broadcasts, and what comes next there.

mod listed;
mod reception;
mod recipient;
#[cfg(any(test, fuzzing))]
pub(super) mod saved;
mod scan;
mod selected;
mod takes;
mod upcoming;

use std::sync::Arc;
use std::task::{Context as TaskContext, Waker};

use self::listed::Listed;
pub(in crate::actors::session) use self::recipient::Recipient;
use self::scan::Scan;
use self::selected::SelectedPlace;
use self::upcoming::BATCH;
pub(super) use self::upcoming::Upcoming;
use super::past::{Past, PastRead};
use crate::actors::session::core::hears::Hears;
use crate::log::{
    Cursor, Log, LogRead, PartialFrame, ReadWait, SendfileGuard, Slices, TrackedReader,
};
use crate::topic::{Pattern, Permissions};
use crate::wire::{Gap, Seq};

/// The approximate number of slices that one write takes from the log.
pub(super) const SLICES: usize = 32;

/// A session's place in the log, or in the journal.
#[derive(Debug)]
pub(super) struct Reader {
    recipient: Recipient,
    /// The rules about what the client hears, as they were at the last read.
    rules: Option<Arc<Permissions>>,
    /// Everything behind this seq was, and will be, judged by them.
    rules_after: Seq,
    cursor: Cursor,
    /// The place instead, while the log no longer holds what comes next.
    past: Option<Box<Past>>,
    /// The reader's choice holds for the broadcasts behind this seq.
    chosen_after: Seq,
    /// The place instead, where a filter selects what the reader gets.
    selected: Option<Box<SelectedPlace>>,
    /// The choice of a reader that looks at each frame.
    scan: Option<Box<Scan>>,
    /// Nothing has been read since the login.
    is_fresh: bool,
    /// The last broadcast that was written, where they are rendered first.
    rendered: Seq,
    /// Bytes of broadcasts written so far.
    taken: u64,
    /// The reader as publishers see it.
    tracked: TrackedReader,
    read_wait: ReadWait,
    /// Woken for new broadcasts; `None`: the task that reads.
    waker: Option<Waker>,
    /// Held by a reader that can be sent a file's bytes.
    sendfile: Option<SendfileGuard>,
    /// The latest gaps that the client was told.
    gaps: Listed<(Seq, Seq)>,
    /// The latest broadcasts that the operator's rules kept from the client.
    withheld: Listed<Seq>,
}

impl Reader {
    /// A reader of what follows `after`, for this recipient.
    pub(super) fn new(
        log: &Arc<Log>,
        after: Seq,
        takes_files: bool,
        recipient: Recipient,
    ) -> Reader {
        Reader {
            waker: None,
            cursor: log.cursor_after(after),
            past: None,
            chosen_after: after,
            selected: None,
            scan: None,
            is_fresh: true,
            rendered: after,
            taken: 0,
            tracked: log.backpressure().reader(),
            rules: recipient.rules(),
            rules_after: after,
            recipient,
            read_wait: ReadWait::default(),
            sendfile: takes_files.then(|| log.register_sendfile_reader()),
            gaps: Listed::default(),
            withheld: Listed::default(),
        }
    }

    /// Gets only what the session wants to hear from now on. Returns the seq behind which that
    /// holds.
    pub(super) fn choose(&mut self, log: &Arc<Log>, shard: usize, hears: &Hears) -> Seq {
        self.choose_told(log, shard, hears, self.seq())
    }

    /// As [`Reader::choose`]; the client is told of what is up to `told`.
    fn choose_told(&mut self, log: &Arc<Log>, shard: usize, hears: &Hears, told: Seq) -> Seq {
        let after = self.done_until();
        (self.chosen_after, self.scan) = (after, None);
        self.withheld.forget_behind(after);
        if self.selected.take().is_some() {
            (self.cursor, self.past) = (log.cursor_after(after), None);
        }
        match &hears.filter {
            None if hears.is_everything() => {}
            Some(filter) if !filter.iter().any(Pattern::matches_all) => {
                let (user, wanted) = (
                    Arc::clone(&self.recipient.name),
                    (&filter[..], hears.presence),
                );
                let place = SelectedPlace::new(log, shard, (told, after), user, wanted);
                (self.selected, self.past) = (Some(Box::new(place)), None);
            }
            filter => {
                let scan = Scan::new(filter.clone(), hears.presence, told);
                self.scan = Some(Box::new(scan));
            }
        }
        if !hears.is_everything() {
            self.refuse_files();
        }
        after
    }

    /// Returns what the session wants to hear.
    pub(super) fn hears_now(&self) -> Hears {
        match (&self.selected, &self.scan) {
            (Some(selected), _) => selected.hears(),
            (None, Some(scan)) => Hears {
                filter: scan.filter().map(<[_]>::to_vec),
                presence: scan.wants_presence(),
                is_told: true,
            },
            (None, None) => Hears::EVERYTHING,
        }
    }

    /// Whether the reader may get the log's bytes as they are.
    pub(super) fn takes_slices(&self) -> bool {
        let has_hidden = self.past.as_ref().is_some_and(|past| past.has_direct());
        self.selected.is_none() && self.scan.is_none() && self.rules.is_none() && !has_hidden
    }

    /// Whether the reader reads the journal.
    pub(super) fn is_in_journal(&self) -> bool {
        let selected = self.selected.as_ref();
        self.past.is_some() || selected.is_some_and(|place| place.is_in_journal())
    }

    /// The last seq that was read, whether its broadcast was for the reader or not.
    pub(super) fn read_seq(&self) -> Seq {
        let past = self.past.as_ref().map(|past| past.seq());
        past.unwrap_or_else(|| self.cursor.seq())
    }

    /// Returns a seq up to which everything was read, as far as that is known.
    fn done_until(&self) -> Seq {
        let selected = self.selected.as_ref();
        selected.map_or_else(|| self.read_seq(), |place| place.done_until())
    }

    /// Has this woken for new broadcasts instead of the task that reads.
    pub(super) fn set_waker(&mut self, waker: Waker) {
        self.waker = Some(waker);
    }

    /// The last seq that the client was told of, or will be by what is queued.
    pub(super) fn seq(&self) -> Seq {
        match (&self.selected, &self.scan) {
            (Some(selected), _) => selected.seq(),
            (None, Some(scan)) => scan.told,
            (None, None) => self.read_seq(),
        }
    }

    /// The last seq that was written, where broadcasts are rendered first.
    pub(super) fn rendered(&self) -> Seq {
        self.rendered
    }

    /// The latest gaps that the client was told, and up to where earlier ones are not kept.
    pub(super) fn gaps(&self) -> (&[(Seq, Seq)], Option<Seq>) {
        self.gaps.listed()
    }

    /// Whether nothing has been read since the login: then a gap is what a resume cannot give.
    pub(super) fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// Returns what comes next. A client with a filter is told that it has everything up to
    /// `until`, once that is so.
    pub(super) fn next(
        &mut self,
        log: &Log,
        shard: usize,
        until: Option<Seq>,
        cx: &mut TaskContext<'_>,
    ) -> Upcoming {
        let waker = self.waker.as_ref().unwrap_or(cx.waker());
        let was_in_journal = self.is_in_journal();
        let upcoming = match (&mut self.selected, &self.past) {
            (Some(selected), _) => selected.next(until, waker, cx),
            (None, None) => self.read_log(log, shard, cx),
            (None, Some(_)) => self.read_past(log, cx),
        };
        let is_in_journal = self.is_in_journal();
        if is_in_journal && !was_in_journal {
            self.tracked.stop_holding();
        }
        self.is_fresh &= !matches!(upcoming, Upcoming::Frames(_) | Upcoming::Selected(_));
        let read = self.read_seq();
        match (upcoming, &self.selected, &self.scan) {
            (Upcoming::Nothing, None, Some(scan)) if scan.told < read => Upcoming::Passed(read),
            (Upcoming::Nothing, Some(_), _) if !is_in_journal => {
                self.tracked.note_caught_up(self.taken);
                Upcoming::Nothing
            }
            (upcoming, ..) => upcoming,
        }
    }

    /// Notes that a selected broadcast, or how far the stream is, goes to the client.
    pub(super) fn tell(&mut self, seq: Seq) {
        if let Some(selected) = &mut self.selected {
            selected.tell(seq);
        }
        if let Some(scan) = &mut self.scan {
            scan.told = seq;
        }
    }

    fn read_log(&mut self, log: &Log, shard: usize, cx: &mut TaskContext<'_>) -> Upcoming {
        // The waker that broadcasts wake never changes: the reader need not register anew.
        let is_known = self.waker.is_some() && log.notifier(shard).is_registered(&self.read_wait);
        if is_known && log.is_at_head(&self.cursor) {
            return Upcoming::Nothing;
        }
        let here = self.cursor;
        match log.read(&mut self.cursor, Some(&self.recipient.name), SLICES, BATCH) {
            LogRead::AtHead => {
                self.tracked.note_caught_up(self.taken);
                let waker = self.waker.as_ref().unwrap_or(cx.waker());
                log.notifier(shard).register(&mut self.read_wait, waker);
                if log.is_at_head(&self.cursor) {
                    return Upcoming::Nothing;
                }
                Upcoming::Moved
            }
            LogRead::Frames(slices) => Upcoming::Frames(slices),
            LogRead::Gap(_) if log.journal().is_some() => {
                self.past = Some(Box::new(Past::behind(here.seq())));
                Upcoming::Moved
            }
            LogRead::Gap(gap) => {
                self.tracked.stop_holding();
                Upcoming::Gap(gap)
            }
        }
    }

    fn read_past(&mut self, log: &Log, cx: &mut TaskContext<'_>) -> Upcoming {
        let Some(past) = &mut self.past else {
            return Upcoming::Moved;
        };
        match past.read(log, cx) {
            PastRead::Waiting => Upcoming::Nothing,
            PastRead::Frames(slices) => Upcoming::Frames(slices),
            PastRead::Gap(gap) => Upcoming::Gap(gap),
            PastRead::Failed => Upcoming::Unreadable,
            PastRead::Met => {
                self.cursor = log.cursor_after(past.seq());
                self.past = None;
                Upcoming::Moved
            }
        }
    }

    /// Moves behind the frames that `written` bytes of `slices` touched. Returns the rest of
    /// the last one.
    pub(super) fn advance(&mut self, log: &Log, slices: &Slices, written: usize) -> PartialFrame {
        match &mut self.past {
            Some(past) => past.advance(written),
            None => self.cursor.advance(log, slices, written),
        }
    }

    /// Goes on behind a gap that the client is told; the log's cursor does so by itself.
    pub(super) fn skip(&mut self, gap: Gap) {
        self.is_fresh = false;
        self.tell(gap.to);
        if let Some(past) = &mut self.past {
            past.skip(gap);
        }
        if let Some(selected) = &mut self.selected {
            selected.skip(gap);
        }
    }

    /// Goes back in front of a gap: what the client has got is what it is told at the end.
    pub(super) fn stay_before(&mut self, log: &Log, gap: Gap) {
        if self.past.is_none() && self.selected.is_none() {
            self.cursor = log.cursor_after(Seq(gap.from.0 - 1));
        }
    }

    /// Notes a gap that has been written, or that this client is not told of.
    pub(super) fn note_gap(&mut self, gap: Gap) {
        self.note_rendered(gap.to);
        self.gaps.note((gap.from, gap.to));
    }

    /// Notes a broadcast that has been written.
    pub(super) fn note_rendered(&mut self, seq: Seq) {
        self.rendered = self.rendered.max(seq);
    }

    /// Notes bytes of broadcasts that the client has taken.
    pub(super) fn note_taken(&mut self, bytes: u64) {
        self.taken += bytes;
    }

    /// Tells publishers how far the reader is behind. A reader of the journal holds nobody
    /// back: it cannot fall off that.
    pub(super) fn note_lag(&mut self, log: &Log) {
        let position = match (&self.selected, &self.past) {
            (Some(place), _) => place.position(),
            (None, Some(_)) => None,
            (None, None) => Some(self.cursor.position()),
        };
        if let Some(position) = position {
            let user = Some(&self.recipient.name);
            self.tracked.note(user, position, self.taken, log.written());
        }
    }

    /// Holds no publisher back any more.
    pub(super) fn let_go(&mut self) {
        self.tracked.stop_holding();
    }

    /// Whether the reader can be sent a file's bytes.
    pub(super) fn takes_files(&self) -> bool {
        self.sendfile.is_some()
    }

    /// Is sent no file's bytes from now on. Returns whether it was before.
    pub(super) fn refuse_files(&mut self) -> bool {
        self.sendfile.take().is_some()
    }
}

#[cfg(all(test, shuttle))]
mod interleavings;

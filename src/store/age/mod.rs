//! Age retention by a clock that nobody sets.
//!
//! The problem: the system's clock jumps. Set ahead, it would make every row of the
//! journal too old at once; set back, it would leave rows that never become old. So the
//! age of a row is the time that passed by the clock that runs since the boot, and the
//! system's clock says only how long no server ran.
//!
//! Invariants:
//! - rows are stamped in *retention time*, milliseconds that begin at the system's clock and
//!   then advance with the run alone;
//! - a row is at least as old as each row behind it, whatever its stamp says;
//! - rows of this run go only when they are older than the age by the run;
//! - rows of former runs go before that only once the system's clock has not jumped for
//!   [`STEADY`]: a clock that was wrong at the boot has been set right by then.

use std::collections::VecDeque;
use std::time::Duration;

use crate::wire::{Millis, Seq};

/// How far the system's clock may move away from the run between two readings. What
/// disciplines a clock moves it by less than 1 ms a second.
const TOLERANCE: i64 = 10_000;

/// How long the system's clock must run evenly before it counts.
pub(super) const STEADY: u64 = 60 * 60 * 1000;

/// Marks kept at most; where there are more, each two become one.
const MARKS: usize = 1024;

/// A reading of both clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// The system's clock.
    pub wall: Millis,
    /// A clock that cannot be set and began before this run.
    pub run: Duration,
}

impl ClockReading {
    /// Reads the clock that cannot be set, beside this of the system's. Where the system has
    /// one that goes on while the machine is suspended, it is that.
    pub fn beside(wall: Millis) -> ClockReading {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let run = {
            let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
            Duration::try_from(now).unwrap_or_default()
        };
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let run = {
            use std::sync::LazyLock;
            use std::time::Instant;
            static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
            FIRST.elapsed()
        };
        ClockReading { wall, run }
    }
}

/// When the journal's newest broadcast was made, as the journal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Newest {
    /// In retention time: the stamp of its row.
    pub(super) stamp: Millis,
    /// By the system's clock: its own `at`.
    pub(super) at: Millis,
}

/// Rows up to `last` are at least as old as this.
#[derive(Debug, Clone, Copy)]
struct Mark {
    last: Seq,
    /// In retention time.
    time: u64,
    /// The oldest time of the rows that it stands for.
    since: u64,
}

/// Tells which rows are too old.
#[derive(Debug)]
pub(super) struct Ages {
    /// In milliseconds; `None`: age does not count.
    limit: Option<u64>,
    /// Rows whose times differ by less are one mark.
    step: u64,
    marks: VecDeque<Mark>,
    /// The head when this run began.
    former: Seq,
    /// When this run began, by the clock that cannot be set.
    began: Duration,
    /// Retention time when it began.
    base: u64,
    /// The part of `base` that was measured by the system's clock while no server ran.
    downtime: u64,
    /// How far the system's clock is ahead of the run, in milliseconds.
    wall_ahead: i64,
    /// When, by the run, the system's clock last jumped.
    steady_since: u64,
}

/// The system's clock was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Jump {
    /// By so many milliseconds; below 0: set back.
    pub(super) by: i64,
}

impl Ages {
    /// The ages of a journal that ends at `head`; its rows come next, by [`Ages::note`].
    pub(super) fn new(limit: Option<Duration>, head: Seq) -> Ages {
        let limit = limit.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        Ages {
            limit,
            step: limit.map_or(1, |limit| (limit / 256).max(1)),
            marks: VecDeque::new(),
            former: head,
            began: Duration::ZERO,
            base: 0,
            downtime: 0,
            wall_ahead: 0,
            steady_since: 0,
        }
    }

    /// Begins the run, once every row is noted.
    pub(super) fn begin_run(&mut self, newest: Option<Newest>, start: ClockReading) {
        let wall = start.wall.0;
        // While a server runs, rows are stamped by its run: only what passed since the
        // newest of them is taken from the system's clock.
        let (now, downtime) = newest.map_or((wall, 0), |newest| {
            let downtime = wall.saturating_sub(newest.at.0);
            let now = newest.stamp.0.saturating_add(downtime).min(wall);
            (now, now.saturating_sub(newest.stamp.0))
        });
        (self.began, self.base, self.downtime) = (start.run, now, downtime);
        self.wall_ahead = difference(wall, 0);
        self.steady_since = 0;
    }

    /// Retention time, with which a row that is written now is stamped.
    pub(super) fn stamp(&self, run: Duration) -> Millis {
        Millis(self.base.saturating_add(self.elapsed(run)))
    }

    /// Notes the rows up to `last`, which were stamped so. Rows come in their order.
    pub(super) fn note(&mut self, last: Seq, stamp: Millis) {
        if self.limit.is_none() {
            return;
        }
        let mut mark = Mark {
            last,
            time: stamp.0,
            since: stamp.0,
        };
        while let Some(before) = self.marks.back()
            && before.time > mark.time
        {
            mark.since = mark.since.min(before.since);
            self.marks.pop_back();
        }
        match self.marks.back_mut() {
            // The time of the youngest counts for all of them: none goes too early.
            Some(before)
                if mark.time - before.since < self.step
                    && (before.last > self.former || last <= self.former) =>
            {
                (before.last, before.time) = (last, mark.time);
            }
            _ => self.marks.push_back(mark),
        }
        if self.marks.len() > MARKS {
            self.thin_out();
        }
    }

    fn thin_out(&mut self) {
        self.step = self.step.saturating_mul(2);
        let marks = std::mem::take(&mut self.marks);
        for mark in marks {
            self.note(mark.last, Millis(mark.time));
        }
    }

    /// Milliseconds of this run.
    fn elapsed(&self, run: Duration) -> u64 {
        let elapsed = run.saturating_sub(self.began);
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    /// Looks at the clocks; where the system's has jumped since the last look, by how much.
    pub(super) fn observe(&mut self, now: ClockReading) -> Option<Jump> {
        let run = self.elapsed(now.run);
        let ahead = difference(now.wall.0, run);
        let by = ahead.saturating_sub(self.wall_ahead);
        self.wall_ahead = ahead;
        if by.abs() <= TOLERANCE {
            return None;
        }
        self.steady_since = run;
        // It was ahead at the start: the time without a server was shorter by that.
        let undone = by.min(0).unsigned_abs().min(self.downtime);
        self.downtime -= undone;
        self.base -= undone;
        for mark in self.marks.iter_mut().filter(|mark| mark.last > self.former) {
            mark.time = mark.time.saturating_sub(undone);
            mark.since = mark.since.saturating_sub(undone);
        }
        Some(Jump { by })
    }

    /// The last of the rows that are too old; [`Seq::ZERO`] where none is.
    pub(super) fn too_old(&self, run: Duration) -> Seq {
        let Some(limit) = self.limit else {
            return Seq::ZERO;
        };
        let (now, run) = (self.stamp(run).0, self.elapsed(run));
        let counts_downtime = run > limit || run.saturating_sub(self.steady_since) >= STEADY;
        let is_old = |mark: &&Mark| {
            (mark.last > self.former || counts_downtime) && mark.time.saturating_add(limit) < now
        };
        let old = self.marks.iter().take_while(is_old).last();
        old.map_or(Seq::ZERO, |mark| mark.last)
    }

    /// Whether [`Ages::too_old`] is beyond `trimmed`.
    pub(super) fn has_old(&self, trimmed: Seq, run: Duration) -> bool {
        self.too_old(run) > trimmed
    }

    /// Forgets rows that were removed.
    pub(super) fn forget(&mut self, trimmed: Seq) {
        while self.marks.front().is_some_and(|mark| mark.last <= trimmed) {
            self.marks.pop_front();
        }
    }
}

/// `left - right`; no clock gets to 2^63.
fn difference(left: u64, right: u64) -> i64 {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    signed(left).saturating_sub(signed(right))
}

#[cfg(test)]
mod tests;

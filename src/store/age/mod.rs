//! Age retention, measured by a monotonic clock.
//!
//! The problem: the wall clock jumps. If it is set ahead, every row of the journal would expire
//! at once; if it is set back, rows would never expire. So the age of a row is measured by a
//! monotonic clock, and the wall clock is used only for the time in which no server ran.
//!
//! Invariants:
//! - rows are stamped in *retention time*: milliseconds that start at the wall clock's time and
//!   then advance with the monotonic clock only;
//! - a row counts as at least as old as every later row, whatever its stamp says;
//! - a row of this run expires only after the age limit has passed on the monotonic clock;
//! - a row of an earlier run can expire sooner, because the time without a server counts, but
//!   only once the wall clock has not jumped for [`STEADY_MILLIS`]: a clock that was wrong at
//!   boot has been corrected by then.

use std::collections::VecDeque;
use std::time::Duration;

use crate::wire::{Millis, Seq};

/// How far the wall clock may drift from the monotonic clock between two readings, in
/// milliseconds. NTP slews a clock by less than 1 ms a second; a larger difference is a jump.
const TOLERANCE_MILLIS: i64 = 10_000;

/// How long the wall clock must run without a jump before the time without a server counts.
pub(super) const STEADY_MILLIS: u64 = 60 * 60 * 1000;

/// The most marks that are kept; above it, neighbouring marks are merged.
const MAX_MARKS: usize = 1024;

/// A reading of both clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// The wall clock.
    pub wall: Millis,
    /// The monotonic clock; it started before this run.
    pub monotonic: Duration,
}

impl ClockReading {
    /// Reads the monotonic clock, and pairs it with `wall`, the wall clock's time. On Linux and
    /// Android the monotonic clock also counts the time in which the machine is suspended
    /// (`CLOCK_BOOTTIME`, clock_gettime(2)).
    pub fn with_wall(wall: Millis) -> ClockReading {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let monotonic = {
            let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
            Duration::try_from(now).unwrap_or_default()
        };
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let monotonic = {
            use std::sync::LazyLock;
            use std::time::Instant;
            static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
            FIRST.elapsed()
        };
        ClockReading { wall, monotonic }
    }
}

/// The time of the journal's newest broadcast, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NewestTime {
    /// Retention time: the stamp of its row.
    pub(super) stamp: Millis,
    /// Wall clock: the broadcast's own `at`.
    pub(super) at: Millis,
}

/// The age of consecutive rows: all rows up to `last` are at least as old as `time`.
#[derive(Debug, Clone, Copy)]
struct Mark {
    last: Seq,
    /// Retention time of the youngest of its rows.
    time: u64,
    /// Retention time of the oldest of its rows.
    since: u64,
}

/// Decides which rows have expired.
#[derive(Debug)]
pub(super) struct Ages {
    /// The age limit in milliseconds; with `None` no row expires.
    limit: Option<u64>,
    /// Rows whose times differ by less than this share a mark.
    step: u64,
    marks: VecDeque<Mark>,
    /// The head when this run began; rows up to it are of earlier runs.
    start_head: Seq,
    /// The monotonic clock when this run began.
    start: Duration,
    /// Retention time when this run began.
    base: u64,
    /// The part of `base` that the wall clock measured while no server ran.
    downtime: u64,
    /// How far the wall clock is ahead of this run's elapsed time, in milliseconds.
    wall_ahead: i64,
    /// The elapsed time of this run at which the wall clock last jumped, in milliseconds.
    steady_since: u64,
}

/// A jump of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Jump {
    /// The jump's length in milliseconds; negative if the clock was set back.
    pub(super) millis: i64,
}

impl Ages {
    /// Creates the ages of a journal that ends at `head`. Its rows are then added with
    /// [`Ages::note`].
    pub(super) fn new(limit: Option<Duration>, head: Seq) -> Ages {
        let limit = limit.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        Ages {
            limit,
            step: limit.map_or(1, |limit| (limit / 256).max(1)),
            marks: VecDeque::new(),
            start_head: head,
            start: Duration::ZERO,
            base: 0,
            downtime: 0,
            wall_ahead: 0,
            steady_since: 0,
        }
    }

    /// Begins the run, after every row has been noted.
    pub(super) fn begin_run(&mut self, newest: Option<NewestTime>, start: ClockReading) {
        let wall = start.wall.0;
        // Stamps advance with the monotonic clock while a server runs, so the wall clock is
        // needed only for the time since the newest broadcast.
        let (now, downtime) = newest.map_or((wall, 0), |newest| {
            let downtime = wall.saturating_sub(newest.at.0);
            let now = newest.stamp.0.saturating_add(downtime).min(wall);
            (now, now.saturating_sub(newest.stamp.0))
        });
        (self.start, self.base, self.downtime) = (start.monotonic, now, downtime);
        self.wall_ahead = difference(wall, 0);
        self.steady_since = 0;
    }

    /// Returns the stamp of a row that is written when the monotonic clock shows `monotonic`.
    pub(super) fn stamp(&self, monotonic: Duration) -> Millis {
        Millis(self.base.saturating_add(self.elapsed(monotonic)))
    }

    /// Notes that the rows up to `last` that were not noted before have this stamp. Callers
    /// note rows in order.
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
            // A merged mark has the time of its youngest row, so no row expires early.
            Some(before)
                if mark.time - before.since < self.step
                    && (before.last > self.start_head || last <= self.start_head) =>
            {
                (before.last, before.time) = (last, mark.time);
            }
            _ => self.marks.push_back(mark),
        }
        if self.marks.len() > MAX_MARKS {
            self.merge_marks();
        }
    }

    /// Doubles the step, and merges the marks that now share one.
    fn merge_marks(&mut self) {
        self.step = self.step.saturating_mul(2);
        let marks = std::mem::take(&mut self.marks);
        for mark in marks {
            self.note(mark.last, Millis(mark.time));
        }
    }

    /// Returns the milliseconds since this run began.
    fn elapsed(&self, monotonic: Duration) -> u64 {
        let elapsed = monotonic.saturating_sub(self.start);
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    /// Compares the two clocks. Returns the jump of the wall clock since the last call, if it
    /// jumped.
    pub(super) fn observe(&mut self, now: ClockReading) -> Option<Jump> {
        let elapsed = self.elapsed(now.monotonic);
        let ahead = difference(now.wall.0, elapsed);
        let millis = ahead.saturating_sub(self.wall_ahead);
        self.wall_ahead = ahead;
        if millis.abs() <= TOLERANCE_MILLIS {
            return None;
        }
        self.steady_since = elapsed;
        // A clock that is set back was ahead when the run began, so the time without a server
        // was measured too long by as much.
        let excess = millis.min(0).unsigned_abs().min(self.downtime);
        self.downtime -= excess;
        self.base -= excess;
        let start_head = self.start_head;
        for mark in self.marks.iter_mut().filter(|mark| mark.last > start_head) {
            mark.time = mark.time.saturating_sub(excess);
            mark.since = mark.since.saturating_sub(excess);
        }
        Some(Jump { millis })
    }

    /// Returns the last row that has expired, or [`Seq::ZERO`] if none has.
    pub(super) fn last_expired(&self, monotonic: Duration) -> Seq {
        let Some(limit) = self.limit else {
            return Seq::ZERO;
        };
        let (now, elapsed) = (self.stamp(monotonic).0, self.elapsed(monotonic));
        let is_steady = elapsed.saturating_sub(self.steady_since) >= STEADY_MILLIS;
        let counts_downtime = elapsed > limit || is_steady;
        let has_expired = |mark: &&Mark| {
            let may_expire = mark.last > self.start_head || counts_downtime;
            may_expire && mark.time.saturating_add(limit) < now
        };
        let expired = self.marks.iter().take_while(has_expired).last();
        expired.map_or(Seq::ZERO, |mark| mark.last)
    }

    /// Whether rows behind `trimmed` have expired.
    pub(super) fn has_expired(&self, trimmed: Seq, monotonic: Duration) -> bool {
        self.last_expired(monotonic) > trimmed
    }

    /// Forgets the rows up to `trimmed`, which were removed.
    pub(super) fn forget(&mut self, trimmed: Seq) {
        while self.marks.front().is_some_and(|mark| mark.last <= trimmed) {
            self.marks.pop_front();
        }
    }
}

/// Returns `left - right`. No clock reaches 2^63 milliseconds.
fn difference(left: u64, right: u64) -> i64 {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    signed(left).saturating_sub(signed(right))
}

#[cfg(test)]
mod tests;

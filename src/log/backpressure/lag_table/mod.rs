//! Decides which lagging readers hold publishers back. It is told the time.
//!
//! - A reader holds nobody before it has read at the live edge: within the window of
//!   the head. Catching up, by a resume or from the journal, gives no right.
//! - While publishing keeps to the least rate, readers that take something now and then
//!   hold publishers free of charge; and so do all while the server is busy delivering,
//!   as it is the server that is waited for then.
//! - All other waiting is charged to the budget of the reader's user. A user without a
//!   budget holds nobody.
//! - A reader that lags by more than the window and may not hold has to get back to the
//!   live edge first.

use std::sync::Arc;
use std::time::{Duration, Instant};

use slab::Slab;

use super::budget::Budgets;
use super::limits::BackpressureLimits;

/// Bytes a second to all readers together: a server that delivers so much is busy.
const BUSY: u64 = 1 << 30;

/// The longest waiting that a burst earns: what many publishers publish at once is waited
/// for at the least rate.
const BURST: Duration = Duration::from_secs(1);

/// Waiting that is free of charge, earned by bytes.
#[derive(Debug)]
struct Allowance {
    left: Duration,
    most: Duration,
    /// Bytes that earn a second.
    rate: u64,
}

impl Allowance {
    fn earn(&mut self, bytes: u64) {
        let seconds = bytes as f64 / self.rate as f64;
        self.left = if seconds < self.most.as_secs_f64() {
            self.most.min(self.left + Duration::from_secs_f64(seconds))
        } else {
            self.most // also where no rate is asked for
        };
    }

    fn use_up(&mut self, waited: Duration) {
        self.left = self.left.saturating_sub(waited);
    }

    fn has_some(&self) -> bool {
        !self.left.is_zero()
    }
}

/// Holds the lagging readers, and how long publishers have waited for each of them.
#[derive(Debug)]
pub(super) struct LagTable {
    limits: BackpressureLimits,
    laggards: Slab<Laggard>,
    budgets: Budgets,
    /// Earned by what is published.
    published: Allowance,
    /// Earned by what is delivered.
    delivered: Allowance,
    /// Bytes that had been published when that was last looked at.
    written: u64,
    /// Since when publishers wait for the laggards that hold.
    waiting_since: Option<Instant>,
    /// Laggards that hold publishers, as of the last look at all of them.
    holding: usize,
    /// Where the log's end was when a publisher was last held back.
    held_at: u64,
    /// Bytes that were let through and are not in the log yet.
    in_flight: u64,
    /// Where the last look at every laggard held nobody back, so that not each publish
    /// must look again: no laggard that may hold is behind this, and none ever goes back.
    lowest: Option<u64>,
}

/// The most laggards for which memory is held while there are none.
const FEW: usize = 64;

#[derive(Debug)]
struct Laggard {
    /// `None`: a part of the server.
    user: Option<Arc<str>>,
    position: u64,
    taken: u64,
    /// As in [`Report`].
    moved_at: Option<Instant>,
    /// Whether it has read at the live edge and has not fallen back since.
    is_live: bool,
    holds: Hold,
}

/// How a laggard holds publishers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    No,
    /// A part of the server that lags holds publishers in any case.
    Server,
    Free,
    Charged,
}

/// A reader's progress report.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) user: Option<Arc<str>>,
    /// Bytes of the stream before its place.
    pub(super) position: u64,
    /// Bytes that it has taken since its start, which a gap does not count towards.
    pub(super) taken: u64,
    /// When it last made room in a socket that was full, as only a client that reads
    /// does: what fits into the socket of a new session says nothing.
    pub(super) moved_at: Option<Instant>,
    /// Whether it has read at the live edge.
    pub(super) is_live: bool,
}

impl LagTable {
    pub(super) fn new(limits: BackpressureLimits, now: Instant) -> LagTable {
        let allowance = |left, most, rate| Allowance { left, most, rate };
        LagTable {
            limits,
            laggards: Slab::new(),
            budgets: Budgets::new(limits, now),
            published: allowance(BURST, BURST, limits.min_rate),
            delivered: allowance(Duration::ZERO, limits.patience, BUSY),
            written: 0,
            waiting_since: None,
            holding: 0,
            held_at: 0,
            in_flight: 0,
            lowest: None,
        }
    }

    /// Enters a reader that lags, with the log's end at `written`.
    pub(super) fn enter(&mut self, report: Report, written: u64) -> usize {
        let laggard = Laggard {
            is_live: report.user.is_none()
                || report.is_live
                || self.is_at_live_edge(&report, written),
            user: report.user,
            position: report.position,
            taken: report.taken,
            moved_at: report.moved_at,
            holds: Hold::No,
        };
        self.note_candidate(&laggard);
        self.laggards.insert(laggard)
    }

    /// Notes the position of a reader. Returns whether publishers must check again.
    pub(super) fn update(
        &mut self,
        index: usize,
        report: &Report,
        written: u64,
        now: Instant,
    ) -> bool {
        let is_at_live_edge = self.is_at_live_edge(report, written);
        let Some(laggard) = self.laggards.get_mut(index) else {
            return false;
        };
        let taken = report.taken.saturating_sub(laggard.taken);
        (laggard.position, laggard.taken) = (report.position, report.taken);
        laggard.moved_at = report.moved_at;
        let lets_go = laggard.holds != Hold::No
            && self.held_at.saturating_sub(report.position) <= self.limits.window;
        if is_at_live_edge && !laggard.is_live {
            laggard.is_live = true;
            self.lowest = self.lowest.map(|lowest| lowest.min(report.position));
        }
        self.delivered.earn(taken);
        if lets_go {
            self.release(index, now);
        }
        lets_go && self.holding == 0
    }

    /// Removes a reader that no longer lags, or is gone. Returns whether publishers must check
    /// again.
    pub(super) fn leave(&mut self, index: usize, now: Instant) -> bool {
        let held = self.release(index, now);
        self.laggards.try_remove(index);
        if self.laggards.is_empty() && self.laggards.capacity() > FEW {
            self.laggards = Slab::new(); // frees the memory of the largest count so far
        }
        held && self.holding == 0
    }

    /// Counts bytes that were let through, until they are in the log.
    pub(super) fn send(&mut self, bytes: u64) {
        self.in_flight += bytes;
    }

    /// Subtracts bytes that have reached the log, or never will.
    pub(super) fn arrived(&mut self, bytes: u64) {
        self.in_flight -= bytes;
    }

    /// Whether a publisher may go on, with the log's end at `written`. Where it may not,
    /// it waits from now on.
    pub(super) fn may_publish(&mut self, written: u64, now: Instant) -> bool {
        let shown = written;
        let written = written + self.in_flight;
        let full = self.in_flight > self.limits.window;
        if !full && self.is_known_clear(written) {
            return true;
        }
        self.settle(now);
        self.published.earn(shown.saturating_sub(self.written));
        self.written = self.written.max(shown);
        let held = self.evaluate(written, now);
        if held {
            self.waiting_since = Some(now);
        }
        if held || full {
            self.held_at = written;
        }
        !(held || full)
    }

    /// No publisher waits any more: what they waited until now is charged.
    pub(super) fn settle(&mut self, now: Instant) {
        let Some(since) = self.waiting_since.take() else {
            return;
        };
        let waited = now.saturating_duration_since(since);
        let mut laggards = self.laggards.iter();
        if laggards.any(|(_, laggard)| laggard.holds == Hold::Free) {
            self.published.use_up(waited);
            self.delivered.use_up(waited);
        }
        let laggards = self.laggards.iter().map(|(_, laggard)| laggard);
        let charged = laggards.filter(|laggard| laggard.holds == Hold::Charged);
        let users = charged.filter_map(|laggard| laggard.user.as_ref());
        self.budgets.charge(users, waited, now);
    }

    /// Charges the time for which publishers waited for this laggard. Returns whether it held
    /// them.
    fn release(&mut self, index: usize, now: Instant) -> bool {
        let held = |laggard: &Laggard| laggard.holds != Hold::No;
        if !self.laggards.get(index).is_some_and(held) {
            return false;
        }
        let waits = self.waiting_since.is_some();
        self.settle(now);
        if waits && self.holding > 1 {
            self.waiting_since = Some(now); // for the others
        }
        if let Some(laggard) = self.laggards.get_mut(index) {
            laggard.holds = Hold::No;
        }
        self.holding -= 1;
        true
    }

    /// Whether the last look tells, without another one, that nobody holds
    /// publishers back.
    fn is_known_clear(&self, written: u64) -> bool {
        let lag = self.lowest.map(|lowest| written.saturating_sub(lowest));
        lag.is_some_and(|lag| lag <= self.limits.window)
    }

    /// Judges every laggard. Returns whether one of them holds publishers back.
    fn evaluate(&mut self, written: u64, now: Instant) -> bool {
        let limits = self.limits;
        let (is_fast, is_busy) = (self.published.has_some(), self.delivered.has_some());
        let mut lowest = written;
        self.holding = 0;
        for (_, laggard) in &mut self.laggards {
            laggard.holds = Hold::No;
            if !laggard.is_live {
                continue;
            }
            if written.saturating_sub(laggard.position) > limits.window {
                let since = |at| now.saturating_duration_since(at);
                let moves = laggard
                    .moved_at
                    .is_some_and(|at| since(at) < limits.patience);
                let is_free = is_busy || (moves && is_fast);
                laggard.holds = laggard.judge(is_free, &mut self.budgets, now);
                laggard.is_live = laggard.holds != Hold::No;
            }
            if laggard.is_live {
                lowest = lowest.min(laggard.position);
            }
            self.holding += usize::from(laggard.holds != Hold::No);
        }
        let held = self.holding > 0;
        self.lowest = (!held).then_some(lowest);
        held
    }

    fn note_candidate(&mut self, laggard: &Laggard) {
        if laggard.is_live {
            self.lowest = self.lowest.map(|lowest| lowest.min(laggard.position));
        }
    }

    fn is_at_live_edge(&self, report: &Report, written: u64) -> bool {
        let lag = written.saturating_sub(report.position);
        report.taken > 0 && lag <= self.limits.window
    }

    #[cfg(all(test, not(shuttle)))]
    pub(super) fn len(&self) -> usize {
        self.laggards.len()
    }
}

impl Laggard {
    /// Decides how a laggard behind the window holds publishers.
    fn judge(&self, is_free: bool, budgets: &mut Budgets, now: Instant) -> Hold {
        let Some(user) = &self.user else {
            return Hold::Server;
        };
        if budgets.is_exhausted(user, now) {
            Hold::No
        } else if is_free {
            Hold::Free
        } else if budgets.has_some(now) {
            Hold::Charged
        } else {
            Hold::No
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests;

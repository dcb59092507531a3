//! So many at once, and then one an interval (the generic cell rate algorithm, ITU-T
//! I.371, A.1).

use std::time::{Duration, Instant};

/// How close to one another things may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spacing {
    interval: Duration,
    /// How far ahead of the interval they may be: 0 is one at a time.
    ahead: Duration,
    /// When nothing that was taken counts any more.
    full_at: Instant,
}

impl Spacing {
    /// `at_once` of them, and then one each `interval`.
    pub(super) fn new(at_once: u32, interval: Duration, now: Instant) -> Spacing {
        Spacing {
            interval,
            ahead: interval * at_once.saturating_sub(1),
            full_at: now,
        }
    }

    /// When the next one may come.
    pub(super) fn next(&self) -> Instant {
        self.full_at.checked_sub(self.ahead).unwrap_or(self.full_at)
    }

    /// Whether one may come now.
    pub(super) fn may(&self, now: Instant) -> bool {
        self.next() <= now
    }

    /// One comes, whether it may or not: those behind it wait for longer where not.
    pub(super) fn take(&mut self, now: Instant) {
        self.full_at = self.full_at.max(now) + self.interval;
    }

    /// One that was taken did not come.
    pub(super) fn give_back(&mut self) {
        if let Some(earlier) = self.full_at.checked_sub(self.interval) {
            self.full_at = earlier;
        }
    }

    /// When a new one would say the same.
    pub(super) fn full_at(&self) -> Instant {
        self.full_at
    }
}

//! When each phase must be over.
//!
//! All times are durations since the stop began.

use std::time::Duration;

use crate::close::Phase;

/// The time that every phase keeps when the stop is cut short. It lets orders reach the
/// sessions and their records come back; it is too short for clients to read.
pub(super) const LAST_RECORDS: Duration = Duration::from_millis(200);

/// The time that each of the last two phases keeps when the stop is cut short. Stopping the
/// actors and closing the store is not part of the drain, and is never skipped.
const LAST_PHASES: Duration = Duration::from_millis(400);

/// The deadlines of the phases. Time that a phase does not use is the next one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Deadlines {
    total: Duration,
    /// When all phases together must be over, once the stop has been cut short.
    cut_short: Option<Duration>,
}

impl Deadlines {
    /// Deadlines for a stop that takes `total` at most.
    pub(super) fn new(total: Duration) -> Deadlines {
        Deadlines {
            total,
            cut_short: None,
        }
    }

    /// The time that all phases have together, as planned.
    pub(super) fn total(&self) -> Duration {
        self.total
    }

    /// Gives all phases `left` together, from `now` on. After that each phase still has
    /// [`LAST_RECORDS`], and each of the last two has [`LAST_PHASES`].
    pub(super) fn cut_short(&mut self, now: Duration, left: Duration) {
        let until = now.saturating_add(left);
        let until = self.cut_short.map_or(until, |earlier| earlier.min(until));
        self.cut_short = Some(until);
    }

    /// When `phase`, which began at `began`, must be over.
    pub(super) fn of(&self, phase: Phase, began: Duration) -> Duration {
        let planned: Duration = Phase::ALL
            .iter()
            .take_while(|earlier| **earlier <= phase)
            .map(|earlier| earlier.budget(self.total))
            .sum();
        let kept = if phase >= Phase::Actors {
            LAST_PHASES
        } else {
            LAST_RECORDS
        };
        match self.cut_short {
            None => planned,
            Some(until) => planned.min(until.max(began + kept)),
        }
    }

    /// Returns the rest of the total at `now`.
    pub(super) fn remaining(&self, now: Duration) -> Duration {
        self.total.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOTAL: Duration = Duration::from_secs(20);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn unused_phase_time_rolls_forward() {
        let deadlines = Deadlines::new(TOTAL);
        let drain = deadlines.of(Phase::Drain, Duration::ZERO);
        assert_eq!(drain, Duration::from_secs(16));
        assert_eq!(deadlines.of(Phase::Store, Duration::ZERO), TOTAL);
    }

    #[test]
    fn insisting_gives_all_phases_one_common_limit() {
        let mut deadlines = Deadlines::new(TOTAL);
        deadlines.cut_short(SECOND, SECOND);
        let end = 2 * SECOND;
        assert_eq!(deadlines.of(Phase::Requests, Duration::ZERO), end);
        let soon = SECOND + SECOND / 2;
        assert_eq!(deadlines.of(Phase::Drain, soon), end);
        let later = 3 * SECOND;
        assert_eq!(deadlines.of(Phase::Close, later), later + LAST_RECORDS);
        assert_eq!(deadlines.of(Phase::Store, soon), end);
        assert_eq!(deadlines.of(Phase::Store, later), later + LAST_PHASES);
        assert_eq!(deadlines.of(Phase::Seal, Duration::ZERO), SECOND / 2);
    }

    #[test]
    fn insisting_cannot_be_undone() {
        let mut deadlines = Deadlines::new(TOTAL);
        deadlines.cut_short(Duration::ZERO, LAST_RECORDS);
        deadlines.cut_short(LAST_RECORDS / 2, SECOND);
        let requests = deadlines.of(Phase::Requests, Duration::ZERO);
        assert_eq!(requests, LAST_RECORDS);
    }
}

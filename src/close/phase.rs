//! The phases of a shutdown, and when each must be over.

use std::fmt;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// A step of the shutdown. They follow one another in this order, each at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The first reason is recorded; the service manager is told.
    Trigger,
    /// Nobody new is let in; half-done logins are refused.
    Seal,
    /// Each session gets its cut: what comes after it is refused.
    Announce,
    /// What was accepted before the cut is answered.
    Requests,
    /// The log is sealed; its head is what every session must reach.
    Hub,
    /// Every session is written up to the head, and `closing` behind it.
    Drain,
    /// Write sides are shut, input is read to its end.
    Close,
    /// Sessions, then the hub, then auth; each confirms that it has stopped.
    Actors,
    /// The last checkpoint; the threads are joined.
    Store,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Phase; 9] = [
        Phase::Trigger,
        Phase::Seal,
        Phase::Announce,
        Phase::Requests,
        Phase::Hub,
        Phase::Drain,
        Phase::Close,
        Phase::Actors,
        Phase::Store,
    ];

    /// The phase's name on the wire and in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Trigger => "trigger",
            Phase::Seal => "seal",
            Phase::Announce => "announce",
            Phase::Requests => "requests",
            Phase::Hub => "hub",
            Phase::Drain => "drain",
            Phase::Close => "close",
            Phase::Actors => "actors",
            Phase::Store => "store",
        }
    }

    /// The phase's part of the total, in fortieths.
    const fn share(self) -> u32 {
        match self {
            Phase::Trigger => 0,
            Phase::Seal | Phase::Announce => 1,
            Phase::Requests => 10,
            Phase::Hub | Phase::Store => 4,
            Phase::Drain => 16,
            Phase::Close | Phase::Actors => 2,
        }
    }

    /// What the phase may take out of `total`, beside what earlier ones left over.
    pub fn budget(self, total: Duration) -> Duration {
        total * self.share() / 40
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// When each phase must be over. Time that a phase does not use is the next one's.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    start: Instant,
    total: Duration,
    haste: Option<Haste>,
}

/// Everything is over by `until`.
#[derive(Debug, Clone, Copy)]
struct Haste {
    until: Instant,
}

/// What a phase has all the same where the time is up: enough for orders to reach the
/// sessions and their records to come back, not for clients to read.
pub const LAST_WORD: Duration = Duration::from_millis(200);

/// Time that each of the last phases has even where the total is used up. Ending the actors
/// and closing the store is not part of the drain, and is never skipped.
const HASTY_END: Duration = Duration::from_millis(400);

impl Deadlines {
    /// Deadlines for a shutdown that begins at `start` and takes `total` at most.
    pub fn new(start: Instant, total: Duration) -> Self {
        Deadlines {
            start,
            total,
            haste: None,
        }
    }

    /// Gives all phases `left` together, from `now` on; once that is over each has
    /// [`LAST_WORD`], and the last two have 400 ms each.
    pub fn hurry(&mut self, now: Instant, left: Duration) {
        let until = now + left;
        let until = self.haste.map_or(until, |haste| haste.until.min(until));
        self.haste = Some(Haste { until });
    }

    /// When `phase`, which began at `began`, must be over.
    pub fn of(&self, phase: Phase, began: Instant) -> Instant {
        let planned: Duration = Phase::ALL
            .iter()
            .take_while(|earlier| **earlier <= phase)
            .map(|earlier| earlier.budget(self.total))
            .sum();
        let planned = self.start + planned;
        match self.haste {
            None => planned,
            Some(haste) if phase >= Phase::Actors => {
                planned.min(haste.until.max(began + HASTY_END))
            }
            Some(haste) => planned.min(haste.until.max(began + LAST_WORD)),
        }
    }

    /// What is left of the total at `now`.
    pub fn remaining(&self, now: Instant) -> Duration {
        (self.start + self.total).saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOTAL: Duration = Duration::from_secs(20);

    #[test]
    fn the_phases_share_out_the_whole_budget_and_no_more() {
        let sum: Duration = Phase::ALL.iter().map(|phase| phase.budget(TOTAL)).sum();
        assert_eq!(sum, TOTAL);
        assert_eq!(Phase::Drain.budget(TOTAL), Duration::from_secs(8));
        assert_eq!(Phase::Seal.budget(TOTAL), Duration::from_millis(500));
    }

    #[test]
    fn unused_time_rolls_forward() {
        let start = Instant::now();
        let deadlines = Deadlines::new(start, TOTAL);
        let drain = deadlines.of(Phase::Drain, start);
        assert_eq!(drain - start, Duration::from_secs(16));
        assert_eq!(deadlines.of(Phase::Store, start), start + TOTAL);
    }

    #[test]
    fn haste_gives_all_phases_one_time_together() {
        let start = Instant::now();
        let mut deadlines = Deadlines::new(start, TOTAL);
        let second = Duration::from_secs(1);
        deadlines.hurry(start + second, second);
        assert_eq!(deadlines.of(Phase::Requests, start), start + 2 * second);
        let soon = start + second + second / 2;
        assert_eq!(deadlines.of(Phase::Drain, soon), start + 2 * second);
        let later = start + 3 * second;
        assert_eq!(deadlines.of(Phase::Close, later), later + LAST_WORD);
        assert_eq!(deadlines.of(Phase::Store, soon), start + 2 * second);
        assert_eq!(deadlines.of(Phase::Store, later), later + HASTY_END);
        assert_eq!(deadlines.of(Phase::Seal, start), start + second / 2);
    }

    #[test]
    fn haste_is_never_taken_back() {
        let start = Instant::now();
        let mut deadlines = Deadlines::new(start, TOTAL);
        let second = Duration::from_secs(1);
        deadlines.hurry(start, LAST_WORD);
        deadlines.hurry(start + LAST_WORD / 2, second);
        assert_eq!(deadlines.of(Phase::Requests, start), start + LAST_WORD);
    }
}

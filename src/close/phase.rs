//! The phases of a stop, in order, and the share of the time that each has.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A step of the shutdown. They follow one another in this order, each at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The first reason is recorded; the service manager is told.
    Trigger,
    /// New connections are refused, and so are logins in work.
    Seal,
    /// Each session gets its cut: what comes after it is refused.
    Announce,
    /// Frames that were accepted before the cut are answered.
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

    /// The phase that follows this one; `None` after the last.
    pub fn next(self) -> Option<Phase> {
        let place = Phase::ALL.iter().position(|known| *known == self)?;
        Phase::ALL.get(place + 1).copied()
    }

    /// Returns the phase's share of `total`, beside what earlier phases left over.
    pub fn budget(self, total: Duration) -> Duration {
        total * self.share() / 40
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOTAL: Duration = Duration::from_secs(20);

    #[test]
    fn phases_share_the_whole_budget_and_no_more() {
        let sum: Duration = Phase::ALL.iter().map(|phase| phase.budget(TOTAL)).sum();
        assert_eq!(sum, TOTAL);
        assert_eq!(Phase::Drain.budget(TOTAL), Duration::from_secs(8));
        assert_eq!(Phase::Seal.budget(TOTAL), Duration::from_millis(500));
    }
}

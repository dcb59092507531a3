//! The share of a stop's time that each phase has.

use std::time::Duration;

use crate::wire::Phase;

impl Phase {
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

    /// Returns the phase's share of `total`, beside what earlier phases left over.
    pub fn budget(self, total: Duration) -> Duration {
        total * self.share() / 40
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

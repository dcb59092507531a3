//! How the calls of a service have ended, for operators.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use hdrhistogram::Histogram;

/// An hour, the longest time that an answer counts, in microseconds.
const LONGEST: u64 = 3_600_000_000;

/// The digits to which times are held: the histogram of a service then takes 4 KiB.
const DIGITS: u8 = 1;

/// Counts and times of a service's calls since it was offered first.
#[derive(Clone)]
pub(super) struct Statistics {
    answered: u64,
    failed: u64,
    times: Histogram<u64>,
}

/// The counts of a service's calls, and how long answers took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ServiceStatistics {
    /// The calls that were answered with a reply.
    pub answered: u64,
    /// The calls that ended in any other way.
    pub failed: u64,
    /// The median time from a call to its reply in microseconds; `None` without replies.
    pub p50_us: Option<u64>,
    /// The time that 99 % of them did not exceed.
    pub p99_us: Option<u64>,
}

impl Statistics {
    /// Notes a call that was answered with a reply.
    pub(super) fn note_reply(&mut self, took: Duration) {
        self.answered += 1;
        let micros = u64::try_from(took.as_micros()).unwrap_or(LONGEST);
        self.times.saturating_record(micros.max(1));
    }

    /// Notes a call that ended in another way.
    pub(super) fn note_failure(&mut self) {
        self.failed += 1;
    }

    pub(super) fn summary(&self) -> ServiceStatistics {
        let at = |quantile| {
            let has_any = !self.times.is_empty();
            has_any.then(|| self.times.value_at_quantile(quantile))
        };
        ServiceStatistics {
            answered: self.answered,
            failed: self.failed,
            p50_us: at(0.5),
            p99_us: at(0.99),
        }
    }
}

impl Default for Statistics {
    fn default() -> Self {
        let times = Histogram::new_with_bounds(1, LONGEST, DIGITS);
        Statistics {
            answered: 0,
            failed: 0,
            times: times.expect("the crate takes these bounds and this number of digits"),
        }
    }
}

impl PartialEq for Statistics {
    fn eq(&self, other: &Statistics) -> bool {
        let counts = |statistics: &Statistics| (statistics.answered, statistics.failed);
        counts(self) == counts(other) && self.times == other.times
    }
}

impl Eq for Statistics {}

impl Hash for Statistics {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.answered, self.failed).hash(state);
    }
}

impl fmt::Debug for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.summary().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_replies_are_summed_up() {
        let mut statistics = Statistics::default();
        assert_eq!(statistics.summary(), ServiceStatistics::default());
        for millis in 1..=100 {
            statistics.note_reply(Duration::from_millis(millis));
        }
        statistics.note_failure();
        let summary = statistics.summary();
        assert_eq!((summary.answered, summary.failed), (100, 1));
        let p50 = summary.p50_us.expect("there are replies");
        assert!((45_000..55_000).contains(&p50), "{p50}");
        let p99 = summary.p99_us.expect("there are replies");
        assert!((94_000..106_000).contains(&p99), "{p99}");
    }
}

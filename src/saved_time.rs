//! An instant in a form that another process can read.
//!
//! An [`Instant`] means nothing outside of its process, and the time between writing it down and
//! reading it must not count. So it is written as a time before or after the moment of
//! writing, and read back relative to the moment of reading: a deadline that had 3 s left has
//! 3 s left.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// The longest time between an instant and the moment of writing that is read back: two
/// centuries, twice the longest deadline.
const LONGEST: Duration = Duration::from_secs(200 * 365 * 24 * 60 * 60);

/// An instant, relative to the moment at which it was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum SavedTime {
    Before(Duration),
    After(Duration),
}

/// The error of a saved time or rate that no server writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a saved time or rate is out of range")]
pub(crate) struct TimeOutOfRange;

impl SavedTime {
    pub(crate) fn save(instant: Instant, now: Instant) -> SavedTime {
        match instant.checked_duration_since(now) {
            Some(left) => SavedTime::After(left),
            None => SavedTime::Before(now.saturating_duration_since(instant)),
        }
    }

    /// Returns the instant, relative to `now`.
    ///
    /// # Errors
    /// It is centuries away, or the clock cannot tell it.
    pub(crate) fn restore(self, now: Instant) -> Result<Instant, TimeOutOfRange> {
        let (SavedTime::Before(distance) | SavedTime::After(distance)) = self;
        let instant = match self {
            _ if distance > LONGEST => None,
            SavedTime::Before(passed) => now.checked_sub(passed),
            SavedTime::After(left) => now.checked_add(left),
        };
        instant.ok_or(TimeOutOfRange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_time_keeps_its_distance_from_now() {
        let (now, later) = (Instant::now(), Instant::now() + Duration::from_secs(900));
        let second = Duration::from_secs(1);
        let saved = SavedTime::save(now + second, now);
        assert_eq!(saved.restore(later), Ok(later + second));
        let saved = SavedTime::save(now, now + second);
        assert_eq!(saved.restore(later), Ok(later - second));
    }

    #[test]
    fn saved_time_out_of_range_is_refused() {
        for distance in [LONGEST + Duration::from_nanos(1), Duration::MAX] {
            for saved in [SavedTime::Before(distance), SavedTime::After(distance)] {
                assert_eq!(saved.restore(Instant::now()), Err(TimeOutOfRange));
            }
        }
    }
}

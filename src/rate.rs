//! Rates and the token buckets that enforce them.
//!
//! A bucket holds as many tokens as its rate counts, and is full at the start. Each event takes
//! one token, and tokens come back evenly. The bucket is the generic cell rate algorithm (ITU-T
//! I.371, A.1): its whole state is the time at which it will be full again.
//!
//! This is the crate's only implementation of a rate. The crate `governor` has the same
//! algorithm, but reads its own clock and hides its state. A session decides without a clock
//! and its state can be written down, so it needs a bucket that takes the time as an input and
//! is plain data.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde::{Deserialize, Deserializer};

use crate::parse_error::ParseError;
#[cfg(any(test, fuzzing))]
use crate::saved_time::{SavedTime, TimeOutOfRange};

/// A count of events in a period, which is also the count allowed at once.
///
/// ```
/// let rate: arauto::Rate = "100/s".parse()?;
/// assert_eq!(rate.to_string(), "100/s");
/// # Ok::<_, arauto::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    count: u32,
    /// The period in seconds.
    period: u32,
}

/// The largest count: an interval below a nanosecond would be no limit at all.
const MOST: u32 = 1_000_000_000;

/// The longest period that is read back, in seconds.
#[cfg(any(test, fuzzing))]
const LONGEST_PERIOD: u32 = 60 * 60;

/// The letters of the periods, and their seconds.
const UNITS: [(&str, u32); 3] = [("s", 1), ("m", 60), ("h", 60 * 60)];

impl Rate {
    /// Returns a rate of `count` events in a minute.
    ///
    /// # Panics
    /// If `count` is 0.
    pub const fn a_minute(count: u32) -> Rate {
        Rate::per_seconds(count, 60)
    }

    /// Returns a rate of `count` events in `period` seconds.
    ///
    /// # Panics
    /// If one of them is 0.
    pub(crate) const fn per_seconds(count: u32, period: u32) -> Rate {
        assert!(count > 0, "a rate counts at least one");
        assert!(period > 0, "a period lasts");
        Rate { count, period }
    }

    fn period(self) -> Duration {
        Duration::from_secs(self.period.into())
    }

    /// The time in which one token comes back.
    fn interval(self) -> Duration {
        self.period() / self.count
    }

    /// How far ahead of the interval events may be: 0 allows one at a time.
    fn burst(self) -> Duration {
        self.period().saturating_sub(self.interval())
    }
}

impl FromStr for Rate {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let problem = || ParseError::new("rate", text, "COUNT/s, COUNT/m or COUNT/h, as in 100/s");
        let (count, unit) = text.split_once('/').ok_or_else(problem)?;
        let count = Some(count).filter(|count| !count.starts_with('+'));
        let count = count.and_then(|count| count.parse().ok());
        let unit = UNITS.into_iter().find(|(letter, _)| *letter == unit);
        match (count, unit) {
            (Some(count @ 1..=MOST), Some((_, period))) => Ok(Rate { count, period }),
            _ => Err(problem()),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().find(|(_, period)| *period == self.period);
        match unit {
            Some((letter, _)) => write!(f, "{}/{letter}", self.count),
            None => write!(f, "{}/{}s", self.count, self.period),
        }
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A rate, written down. Unlike its text it may have any period.
#[cfg(any(test, fuzzing))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedRate {
    count: u32,
    period: u32,
}

#[cfg(any(test, fuzzing))]
impl Rate {
    pub(crate) fn save(self) -> SavedRate {
        let Rate { count, period } = self;
        SavedRate { count, period }
    }

    /// Returns the rate that was saved.
    ///
    /// # Errors
    /// It counts nothing, or has a period that no server writes.
    pub(crate) fn restore(saved: SavedRate) -> Result<Rate, TimeOutOfRange> {
        let SavedRate { count, period } = saved;
        let is_rate = (1..=MOST).contains(&count) && (1..=LONGEST_PERIOD).contains(&period);
        is_rate
            .then_some(Rate { count, period })
            .ok_or(TimeOutOfRange)
    }
}

/// A bucket, written down.
#[cfg(any(test, fuzzing))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedBucket {
    rate: SavedRate,
    full_at: SavedTime,
}

#[cfg(any(test, fuzzing))]
impl Bucket {
    pub(crate) fn save(&self, now: Instant) -> SavedBucket {
        let Bucket { rate, full_at } = *self;
        SavedBucket {
            rate: rate.save(),
            full_at: SavedTime::save(full_at, now),
        }
    }

    /// Returns the bucket that was saved, with as many tokens as it had.
    ///
    /// # Errors
    /// No server has written such a rate or time.
    pub(crate) fn restore(saved: SavedBucket, now: Instant) -> Result<Bucket, TimeOutOfRange> {
        Ok(Bucket {
            rate: Rate::restore(saved.rate)?,
            full_at: saved.full_at.restore(now)?,
        })
    }
}

/// The tokens that are left of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Bucket {
    rate: Rate,
    /// When every token has come back.
    full_at: Instant,
}

impl Bucket {
    /// Returns a full bucket.
    pub(crate) fn full(rate: Rate, now: Instant) -> Bucket {
        Bucket { rate, full_at: now }
    }

    /// Whether tokens come back at this rate.
    pub(crate) fn has_rate(&self, rate: Rate) -> bool {
        self.rate == rate
    }

    /// Takes a token. If there is none, returns the time until there is one.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let missing = self.full_at.saturating_duration_since(now);
        let burst = self.rate.burst();
        if missing > burst {
            return Err(missing - burst);
        }
        self.full_at = now + missing + self.rate.interval();
        Ok(())
    }

    /// Whether a new bucket would be the same.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }

    /// Takes a token that may be missing yet: then the next one comes later.
    pub(crate) fn take_in_advance(&mut self, now: Instant) {
        self.full_at = self.full_at.max(now) + self.rate.interval();
    }

    /// Gives a token back that was taken and not used.
    pub(crate) fn give_back(&mut self) {
        if let Some(earlier) = self.full_at.checked_sub(self.rate.interval()) {
            self.full_at = earlier;
        }
    }

    /// Returns the time from which there is a token.
    pub(crate) fn ready_at(&self) -> Instant {
        let ready_at = self.full_at.checked_sub(self.rate.burst());
        ready_at.unwrap_or(self.full_at)
    }

    /// Returns the time at which every token has come back.
    pub(crate) fn full_at(&self) -> Instant {
        self.full_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_as_text_parses_back_to_itself() {
        for text in ["1/s", "100/m", "1000000000/h"] {
            assert_eq!(text.parse::<Rate>().expect(text).to_string(), text);
        }
        for text in [
            "",
            "1",
            "1/",
            "/s",
            "0/s",
            "-1/s",
            "1/d",
            "1/ s",
            "+5/s",
            "1000000001/s",
        ] {
            let error = text.parse::<Rate>().expect_err(text).to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn bucket_allows_its_burst_then_one_per_interval() {
        let start = Instant::now();
        let mut bucket = Bucket::full("10/s".parse().expect("a rate"), start);
        let at = |millis| start + Duration::from_millis(millis);
        assert!((0..10).all(|_| bucket.take(start).is_ok()));
        assert_eq!(bucket.take(start), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(at(40)), Err(Duration::from_millis(60)));
        assert_eq!(bucket.take(at(100)), Ok(()));
        assert_eq!(bucket.take(at(100)), Err(Duration::from_millis(100)));
        assert!(!bucket.is_full(at(1_099)));
        assert!(bucket.is_full(at(1_100)));
        assert!(
            (0..10).all(|_| bucket.take(at(60_000)).is_ok()),
            "and no more than that"
        );
        assert!(bucket.take(at(60_000)).is_err());
    }

    #[test]
    fn saved_bucket_has_as_many_tokens() {
        let (start, later) = (Instant::now(), Instant::now() + Duration::from_secs(9));
        let second = Duration::from_secs(1);
        let mut bucket = Bucket::full(Rate::per_seconds(2, 2), start);
        assert!((0..2).all(|_| bucket.take(start).is_ok()));
        let mut restored = Bucket::restore(bucket.save(start), later).expect("it was saved");
        assert_eq!(restored.take(later), Err(second));
        assert_eq!(restored.take(later + second), Ok(()));
    }

    #[test]
    fn saved_rate_out_of_range_is_refused() {
        for (count, period) in [(0, 1), (1, 0), (MOST + 1, 1), (1, LONGEST_PERIOD + 1)] {
            let saved = SavedRate { count, period };
            assert_eq!(Rate::restore(saved), Err(TimeOutOfRange), "{saved:?}");
        }
    }

    #[test]
    fn token_taken_in_advance_delays_the_next_one_until_it_is_given_back() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut bucket = Bucket::full(Rate::per_seconds(2, 2), start);
        assert!(bucket.ready_at() <= start);
        for _ in 0..3 {
            bucket.take_in_advance(start);
        }
        assert_eq!(bucket.ready_at(), start + 2 * second);
        assert_eq!(bucket.full_at(), start + 3 * second);
        assert_eq!(bucket.take(start + second), Err(second));
        bucket.give_back();
        assert_eq!(bucket.ready_at(), start + second);
        assert_eq!(bucket.take(start + second), Ok(()));
    }
}

//! So many in a time: token buckets.
//!
//! A bucket holds as many tokens as its rate counts, and is full at the start; each
//! thing takes one, and they come back evenly. It is kept as one moment, the generic
//! cell rate algorithm (ITU-T I.371, A.1): when it would be full again.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde::{Deserialize, Deserializer};

use crate::parse_error::ParseError;

/// So many in a time; so many at once, too.
///
/// ```
/// let rate: arauto::Rate = "100/s".parse()?;
/// assert_eq!(rate.to_string(), "100/s");
/// # Ok::<_, arauto::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    count: u32,
    per: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Unit {
    Second,
    Minute,
    Hour,
}

impl Unit {
    const ALL: [Unit; 3] = [Unit::Second, Unit::Minute, Unit::Hour];

    fn letter(self) -> &'static str {
        match self {
            Unit::Second => "s",
            Unit::Minute => "m",
            Unit::Hour => "h",
        }
    }

    fn time(self) -> Duration {
        Duration::from_secs(match self {
            Unit::Second => 1,
            Unit::Minute => 60,
            Unit::Hour => 60 * 60,
        })
    }
}

impl Rate {
    /// So many a minute.
    ///
    /// # Panics
    /// If `count` is 0.
    pub const fn a_minute(count: u32) -> Rate {
        assert!(count > 0, "a rate counts at least one");
        Rate {
            count,
            per: Unit::Minute,
        }
    }

    /// From one token to the next.
    fn interval(self) -> Duration {
        self.per.time() / self.count
    }
}

impl FromStr for Rate {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let problem = || ParseError::new("rate", text, "COUNT/s, COUNT/m or COUNT/h, as in 100/s");
        let (count, unit) = text.split_once('/').ok_or_else(problem)?;
        let count = Some(count).filter(|count| !count.starts_with('+'));
        let count = count.and_then(|count| count.parse().ok());
        let per = Unit::ALL.into_iter().find(|known| known.letter() == unit);
        match (count, per) {
            // More than one a nanosecond could not be told from no rate at all.
            (Some(count @ 1..=1_000_000_000), Some(per)) => Ok(Rate { count, per }),
            _ => Err(problem()),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, self.per.letter())
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The tokens that are left of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Bucket {
    rate: Rate,
    /// When it would be full again.
    full_at: Instant,
}

impl Bucket {
    pub(crate) fn full(rate: Rate, now: Instant) -> Bucket {
        Bucket { rate, full_at: now }
    }

    /// Takes a token; where there is none, says how long until there is one.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let interval = self.rate.interval();
        let missing = self.full_at.saturating_duration_since(now);
        let room = self.rate.per.time().saturating_sub(interval);
        if missing > room {
            return Err(missing - room);
        }
        self.full_at = now + missing + interval;
        Ok(())
    }

    /// Whether nothing is known of it that a new one would not say too.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_reads_as_it_is_written() {
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
    fn a_bucket_gives_its_count_at_once_and_then_one_an_interval() {
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
}

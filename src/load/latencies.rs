//! How long something took, many times over.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// An hour, in nanoseconds: whatever takes longer counts as that.
const LONGEST: u64 = 3_600_000_000_000;

/// Times.
#[derive(Debug)]
pub struct Latencies(Histogram<u64>);

/// Times in microseconds that these shares of all times do not exceed.
#[derive(Debug, Clone, Serialize)]
pub struct Percentiles {
    /// How many were timed.
    pub count: u64,
    /// The median.
    pub p50_us: f64,
    /// 90%.
    pub p90_us: f64,
    /// 99%.
    pub p99_us: f64,
    /// 99.9%.
    pub p999_us: f64,
    /// The longest.
    pub max_us: f64,
}

impl Latencies {
    /// Creates an empty histogram that holds each time to this many digits, 1 to 5. Each
    /// digit makes it ten times larger: about 100 kB with 3, 30 MB with 5.
    pub fn with_digits(digits: u8) -> Latencies {
        let histogram = Histogram::new_with_bounds(1, LONGEST, digits);
        Latencies(histogram.expect("the crate takes these bounds and 1 to 5 digits"))
    }

    /// Adds a time.
    pub fn record(&mut self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(LONGEST);
        self.0.saturating_record(nanos.max(1));
    }

    /// Returns `None` where nothing was timed.
    pub fn percentiles(&self) -> Option<Percentiles> {
        let micros = |nanos: u64| nanos as f64 / 1e3;
        let at = |quantile| micros(self.0.value_at_quantile(quantile));
        (!self.0.is_empty()).then(|| Percentiles {
            count: self.0.len(),
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: micros(self.0.max()),
        })
    }
}

/// Adds what another thread has recorded, to the same number of digits.
impl std::ops::AddAssign<&Latencies> for Latencies {
    fn add_assign(&mut self, other: &Latencies) {
        self.0.add(&other.0).expect("both have the same bounds");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up_to_1000_us(digits: u8) -> Percentiles {
        let mut latencies = Latencies::with_digits(digits);
        assert!(latencies.percentiles().is_none());
        (1..=1000).for_each(|micros| latencies.record(Duration::from_micros(micros)));
        latencies.percentiles().expect("there are some")
    }

    #[test]
    fn percentiles_are_exact_to_the_digits_asked_for() {
        for (digits, error) in [(3, 1e-3), (5, 1e-5)] {
            let found = up_to_1000_us(digits);
            for (found, wanted) in [(found.p50_us, 500.0), (found.p99_us, 990.0)] {
                assert!((found - wanted).abs() <= wanted * error, "{found}");
            }
            assert!((found.max_us - 1000.0).abs() <= 1000.0 * error);
        }
    }
}

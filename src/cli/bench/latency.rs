//! How long something took, many times over.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::figures::Rows;

/// An hour: whatever takes longer counts as that.
const LONGEST: u64 = 3_600_000_000_000;

/// Times, to three digits each.
#[derive(Debug)]
pub(super) struct Latencies(Histogram<u64>);

/// What share of the times is below what, in microseconds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Percentiles {
    count: u64,
    p50_us: f64,
    p90_us: f64,
    p99_us: f64,
    p999_us: f64,
    max_us: f64,
}

impl Latencies {
    pub(super) fn new() -> Latencies {
        let histogram = Histogram::new_with_bounds(1, LONGEST, 3);
        Latencies(histogram.expect("the bounds are the crate's to take"))
    }

    pub(super) fn record(&mut self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(LONGEST);
        self.0.saturating_record(nanos.max(1));
    }

    /// Takes what another thread has recorded.
    pub(super) fn add(&mut self, other: &Latencies) {
        self.0.add(&other.0).expect("both have the same bounds");
    }

    /// `None` where there was nothing to time.
    pub(super) fn percentiles(&self) -> Option<Percentiles> {
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

impl Percentiles {
    /// A row for each, under the name of what was timed.
    pub(super) fn rows(&self, what: &str, rows: &mut Rows) {
        for (name, micros) in [
            ("p50", self.p50_us),
            ("p90", self.p90_us),
            ("p99", self.p99_us),
            ("p99.9", self.p999_us),
            ("max", self.max_us),
        ] {
            rows.add(&format!("{what} {name}"), time(micros / 1e6));
        }
    }
}

/// A time as a person reads it: `1.23 ms`.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        _ if seconds < 1e-3 => format!("{:.1} us", seconds * 1e6),
        _ if seconds < 1.0 => format!("{:.2} ms", seconds * 1e3),
        _ => format!("{seconds:.2} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_to_three_digits() {
        let mut latencies = Latencies::new();
        assert!(latencies.percentiles().is_none());
        (1..=1000).for_each(|micros| latencies.record(Duration::from_micros(micros)));
        let found = latencies.percentiles().expect("there are some");
        for (found, wanted) in [(found.p50_us, 500.0), (found.p99_us, 990.0)] {
            assert!((found - wanted).abs() <= wanted / 100.0, "{found}");
        }
        assert!((found.max_us - 1000.0).abs() < 2.0);
    }
}

//! How long something took, counted in buckets that are fixed.

use std::time::Duration;

use crate::sync::{AtomicU64, Ordering};

/// The upper bounds of the buckets in microseconds, from a fast disk to one that hangs. Each is about
/// twice the one before it; the last bucket has no bound.
const BOUNDS: [u64; 17] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
    1_000_000, 2_000_000, 5_000_000, 10_000_000, 30_000_000,
];

/// Counts durations by their buckets.
#[derive(Debug)]
pub struct Durations {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// The durations that were counted up to one moment.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct DurationCounts {
    /// The upper bound of each bucket, and how many durations are within it and above the one before
    /// it. The last bucket has no bound.
    pub buckets: Vec<(Option<Duration>, u64)>,
    /// All durations together.
    pub sum: Duration,
}

impl Default for Durations {
    fn default() -> Self {
        Durations {
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
            micros: AtomicU64::new(0),
        }
    }
}

impl Durations {
    /// Counts a duration.
    pub fn note(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS.partition_point(|bound| *bound < micros);
        self.buckets[place].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Returns the counts.
    pub fn counts(&self) -> DurationCounts {
        let bounds = BOUNDS
            .iter()
            .map(|bound| Some(Duration::from_micros(*bound)));
        let counts = self
            .buckets
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        DurationCounts {
            buckets: bounds.chain([None]).zip(counts).collect(),
            sum: Duration::from_micros(self.micros.load(Ordering::Relaxed)),
        }
    }
}

impl DurationCounts {
    /// Returns how many durations were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn duration_is_counted_in_the_bucket_whose_bound_it_does_not_exceed() {
        assert!(BOUNDS.is_sorted());
        let durations = Durations::default();
        for micros in [0, 100, 101, 40_000_000] {
            durations.note(Duration::from_micros(micros));
        }
        let counts = durations.counts();
        let bounds = [Some(100), Some(200), None];
        for (bound, count) in bounds.into_iter().zip([2, 1, 1]) {
            let bucket = (bound.map(Duration::from_micros), count);
            assert!(counts.buckets.contains(&bucket), "{bucket:?} of {counts:?}");
        }
        assert_eq!(
            (counts.count(), counts.sum),
            (4, Duration::from_micros(40_000_201))
        );
    }
}

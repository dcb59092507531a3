//! Random instants from a seed, which can be repeated.

use std::time::{SystemTime, UNIX_EPOCH};

/// The variable that gives a failed run's seed again.
const SEED: &str = "ARAUTO_FAULT_SEED";

/// The numbers of one run, from a seed (xorshift) which it tells where the run fails.
pub(super) struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    /// From `ARAUTO_FAULT_SEED`, else from the clock.
    pub(super) fn new() -> Random {
        let given = std::env::var(SEED).ok();
        let seed = match given {
            Some(seed) => seed.parse().expect("the seed is a number"),
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(1, |since| u64::from(since.subsec_nanos()) + 1),
        };
        // Small seeds begin with small numbers: a few steps take them apart.
        let mut random = Random { seed, state: seed };
        for _ in 0..8 {
            random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{SEED}={} is the seed of what failed", self.seed);
        }
    }
}

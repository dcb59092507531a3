//! Measures how long answers take, and asserts limits.

use std::fmt;
use std::time::{Duration, Instant};

/// The number of rounds; the best one counts.
const ROUNDS: usize = 3;

/// The times of single answers, sorted.
pub struct Times(Vec<Duration>);

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Times {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        Times(times)
    }
}

impl Times {
    /// Returns the time that this many thousandths of all answers did not exceed.
    fn quantile(&self, thousandths: usize) -> Duration {
        let at = (self.0.len() * thousandths).div_ceil(1000);
        self.0[at.saturating_sub(1)]
    }

    pub fn median(&self) -> Duration {
        self.quantile(500)
    }

    pub fn p99(&self) -> Duration {
        self.quantile(990)
    }

    pub fn max(&self) -> Duration {
        self.quantile(1000)
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} times: median {:?}, p99 {:?}, max {:?}",
            self.0.len(),
            self.median(),
            self.p99(),
            self.max()
        )
    }
}

/// Returns how long `work` took.
pub fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// Asserts that in one of three rounds 99 of 100 answers took less than `bar`.
pub fn assert_p99(what: &str, bar: Duration, mut round: impl FnMut() -> Times) {
    let mut p99s = Vec::new();
    for _ in 0..ROUNDS {
        let times = round();
        println!("{what}: {times}");
        p99s.push(times.p99());
        if times.p99() < bar {
            return;
        }
    }
    panic!("{what}: p99 is not below {bar:?} in any round: {p99s:?}");
}

/// Asserts that in one of three rounds the p99 beside an attack was at most twice that without it.
/// A round returns the times without and with the attack, measured seconds after one another, as the
/// machine's speed drifts.
pub fn assert_p99_at_most_doubles(what: &str, mut round: impl FnMut() -> [Times; 2]) {
    let mut p99s = Vec::new();
    for _ in 0..ROUNDS {
        let [without, with] = round();
        println!("without {what}: {without}");
        println!("beside {what}: {with}");
        let (without, with) = (without.p99(), with.p99());
        if with <= 2 * without {
            return;
        }
        p99s.push([without, with]);
    }
    panic!("beside {what} the p99 is more than twice as long in each round: {p99s:?}");
}

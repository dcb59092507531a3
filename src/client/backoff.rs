//! Waits between attempts: exponential, bounded, with jitter, so that clients that lost the
//! same server do not all come back at once.

use std::time::{Duration, Instant};

/// The first wait, and the longest; each is twice the one before.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// The longest wait that a server can ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);

/// Waits between attempts.
///
/// Each wait is chosen between half and the whole of a length that doubles from 100 ms up to
/// 10 s. Where the server says how long to wait, the wait is that, and up to a quarter longer.
#[derive(Debug, Clone)]
pub struct Backoff {
    length: Duration,
    deadline: Option<Instant>,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff::new()
    }
}

impl Backoff {
    /// Returns waits without an end.
    pub fn new() -> Backoff {
        Backoff {
            length: FIRST,
            deadline: None,
        }
    }

    /// Returns waits that end once `patience` from now has passed.
    pub fn until(patience: Duration) -> Backoff {
        Backoff {
            deadline: Instant::now().checked_add(patience),
            ..Backoff::new()
        }
    }

    /// Begins with the shortest again, because an attempt has succeeded.
    pub fn reset(&mut self) {
        self.length = FIRST;
    }

    /// Returns the wait before the next attempt; `asked` is what the server said
    /// (`retry_after`). `None`: the next attempt would be too late.
    pub fn next_wait(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let wait = self.wait(asked, random());
        let is_late = |deadline| Instant::now() + wait > deadline;
        (!self.deadline.is_some_and(is_late)).then_some(wait)
    }

    /// The wait for a random number from 0 to 1.
    fn wait(&mut self, asked: Option<Duration>, random: f64) -> Duration {
        let length = self.length;
        self.length = (length * 2).min(LONGEST);
        let own = length / 2 + (length / 2).mul_f64(random);
        match asked.map(|asked| asked.min(LONGEST_ASKED)) {
            Some(asked) => own.max(asked + (asked / 4).mul_f64(random)),
            None => own,
        }
    }
}

/// A number from 0 to 1. Where the system has none to give, waits have no jitter.
fn random() -> f64 {
    let random = getrandom::u32().unwrap_or(u32::MAX);
    f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_waits_double_up_to_a_bound_and_restart() {
        let mut backoff = Backoff::new();
        let longest: Vec<_> = (0..10)
            .map(|_| backoff.wait(None, 1.0).as_millis())
            .collect();
        assert_eq!(
            longest,
            [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]
        );
        assert_eq!(backoff.wait(None, 0.0), LONGEST / 2);
        backoff.reset();
        assert_eq!(backoff.wait(None, 0.0), FIRST / 2);
    }

    #[test]
    fn backoff_wait_is_at_least_what_the_server_asks() {
        let mut backoff = Backoff::new();
        let asked = Duration::from_secs(8);
        assert_eq!(backoff.wait(Some(asked), 0.0), asked);
        assert_eq!(backoff.wait(Some(asked), 1.0), asked + asked / 4);
        let for_ever = backoff.wait(Some(Duration::MAX), 1.0);
        assert_eq!(for_ever, LONGEST_ASKED + LONGEST_ASKED / 4);
    }

    #[test]
    fn backoff_random_numbers_differ() {
        assert!((0..100).any(|_| random() != random()));
    }

    #[test]
    fn backoff_ends_at_its_limit() {
        let mut backoff = Backoff::until(Duration::from_secs(5));
        assert!(backoff.next_wait(None).is_some());
        assert_eq!(backoff.next_wait(Some(Duration::from_secs(6))), None);
    }
}

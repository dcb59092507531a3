//! When each message of a paced run is due.

use std::time::{Duration, Instant};

/// Messages at a steady rate; the first is due at once. A message that is late does not
/// make the following ones late.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    begin: Instant,
    per_second: f64,
}

impl Schedule {
    /// Creates a schedule of `per_second` messages a second from `begin` on.
    pub fn new(begin: Instant, per_second: f64) -> Schedule {
        Schedule { begin, per_second }
    }

    /// Returns when the message with this index is due.
    pub fn due_at(&self, index: u64) -> Instant {
        self.begin + Duration::from_secs_f64(index as f64 / self.per_second)
    }

    /// Returns how many messages are due at `now`, if `before` of them were due before.
    pub fn due_by(&self, now: Instant, before: u64) -> u64 {
        let mut due = before;
        while self.due_at(due) <= now {
            due += 1;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_message_is_due_at_once_and_the_others_follow_at_the_rate() {
        let begin = Instant::now();
        let schedule = Schedule::new(begin, 4.0);
        for (millis, due) in [(0, 1), (249, 1), (251, 2), (1001, 5)] {
            let now = begin + Duration::from_millis(millis);
            assert_eq!(schedule.due_by(now, 0), due, "at {millis} ms");
        }
    }
}

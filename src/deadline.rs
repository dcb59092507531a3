//! Deadlines for what a peer must send.
//!
//! A timer may fire late: the process was stopped, the machine was suspended, or the event loop
//! was busy. Bytes that the peer sent meanwhile are in the socket, unread, and the peer is not
//! late. Hence two rules:
//!
//! - A deadline is judged only after the input has been read until there was none, and while
//!   the system reports more input it is not judged, a bounded number of times.
//! - A deadline that is judged much later than it was due is extended once. Time in which this
//!   process did not run is not time in which the peer was silent.
//!
//! [`InputDeadline`] holds no timer and does no I/O: its owner arms a timer for
//! [`InputDeadline::left`], reads, and then asks [`InputDeadline::judge`].

use std::time::{Duration, Instant};

#[cfg(all(feature = "server", any(test, fuzzing)))]
use crate::saved_time::{SavedTime, TimeOutOfRange};

/// The longest extension after a late timer.
const LONGEST_EXTENSION: Duration = Duration::from_secs(10);

/// How long to wait before unread input, which the system reports and the runtime does not yet,
/// is looked for again, and how often in a row.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
const LOOKS: u8 = 16;

/// The longest deadline, a century: a clock need not be able to tell a longer time.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A deadline for something that a peer must send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct InputDeadline {
    length: Duration,
    due: Instant,
    was_extended: bool,
    looks: u8,
}

/// A deadline, written down.
#[cfg(all(feature = "server", any(test, fuzzing)))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedDeadline {
    length: Duration,
    due: SavedTime,
    was_extended: bool,
    looks: u8,
}

/// The state of a deadline at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has not passed: judge it again after this time.
    Wait(Duration),
    /// The peer has sent nothing in time.
    Expired,
}

impl InputDeadline {
    /// Returns a deadline `length` from now, or a century from now where that is sooner.
    pub(crate) fn new(length: Duration, now: Instant) -> InputDeadline {
        let length = length.min(LONGEST);
        InputDeadline {
            length,
            due: now + length,
            was_extended: false,
            looks: 0,
        }
    }

    /// Begins the time again, because the peer has sent something.
    pub(crate) fn restart(&mut self, now: Instant) {
        *self = InputDeadline::new(self.length, now);
    }

    /// Returns the time until it is due; zero once it is.
    pub(crate) fn left(&self, now: Instant) -> Duration {
        self.due.saturating_duration_since(now)
    }

    /// Decides whether the peer is late. Read the input first; `is_unread` says whether the
    /// system reports input that could not be read yet.
    pub(crate) fn judge(&mut self, now: Instant, is_unread: bool) -> Verdict {
        let left = self.left(now);
        if !left.is_zero() {
            return Verdict::Wait(left);
        }
        if is_unread && self.looks < LOOKS {
            self.looks += 1;
            return Verdict::Wait(LOOK_AGAIN);
        }
        let late = now.saturating_duration_since(self.due);
        if late > self.slack() && !self.was_extended {
            let extension = self.length.min(LONGEST_EXTENSION);
            self.was_extended = true;
            self.due = now + extension;
            return Verdict::Wait(extension);
        }
        Verdict::Expired
    }

    /// Returns the deadline in a form that another process can read.
    #[cfg(all(feature = "server", any(test, fuzzing)))]
    pub(crate) fn save(&self, now: Instant) -> SavedDeadline {
        let InputDeadline {
            length,
            due,
            was_extended,
            looks,
        } = *self;
        SavedDeadline {
            length,
            due: SavedTime::save(due, now),
            was_extended,
            looks,
        }
    }

    /// Returns the deadline that was saved, with as much time left as it had.
    ///
    /// # Errors
    /// No server has written such a time.
    #[cfg(all(feature = "server", any(test, fuzzing)))]
    pub(crate) fn restore(
        saved: SavedDeadline,
        now: Instant,
    ) -> Result<InputDeadline, TimeOutOfRange> {
        if saved.length > LONGEST {
            return Err(TimeOutOfRange);
        }
        Ok(InputDeadline {
            length: saved.length,
            due: saved.due.restore(now)?,
            was_extended: saved.was_extended,
            looks: saved.looks,
        })
    }

    /// Returns how late a timer may fire without a sign that this process did not run.
    fn slack(&self) -> Duration {
        let least = LOOK_AGAIN * 2 * u32::from(LOOKS);
        (self.length / 8).clamp(least, Duration::from_secs(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(8);
    const MOMENT: Duration = Duration::from_millis(1);

    #[test]
    fn deadline_judged_in_time_expires() {
        let start = Instant::now();
        let mut deadline = InputDeadline::new(LENGTH, start);
        assert_eq!(
            deadline.judge(start + LENGTH - MOMENT, false),
            Verdict::Wait(MOMENT)
        );
        assert_eq!(
            deadline.judge(start + LENGTH + MOMENT, false),
            Verdict::Expired
        );
    }

    #[test]
    fn deadline_with_unread_input_waits_a_bounded_number_of_times() {
        let start = Instant::now();
        let mut deadline = InputDeadline::new(LENGTH, start);
        let due = start + LENGTH;
        let waits = std::iter::from_fn(|| match deadline.judge(due, true) {
            Verdict::Wait(wait) => Some(wait),
            Verdict::Expired => None,
        });
        assert_eq!(waits.take(1000).count(), usize::from(LOOKS));
    }

    #[test]
    fn deadline_judged_late_is_extended_once() {
        let start = Instant::now();
        let mut deadline = InputDeadline::new(LENGTH, start);
        let resumed = start + LENGTH * 100;
        assert_eq!(deadline.judge(resumed, false), Verdict::Wait(LENGTH));
        assert_eq!(deadline.left(resumed), LENGTH);
        assert_eq!(
            deadline.judge(resumed + LENGTH * 100, false),
            Verdict::Expired
        );
    }

    #[test]
    fn deadline_restarted_by_input_may_be_extended_again() {
        let start = Instant::now();
        let mut deadline = InputDeadline::new(LENGTH, start);
        let resumed = start + LENGTH * 100;
        assert_eq!(deadline.judge(resumed, false), Verdict::Wait(LENGTH));
        deadline.restart(resumed);
        let again = resumed + LENGTH * 100;
        assert_eq!(deadline.judge(again, false), Verdict::Wait(LENGTH));
    }

    #[cfg(feature = "server")]
    #[test]
    fn saved_deadline_has_as_much_left_and_as_many_looks() {
        let start = Instant::now();
        let due = start + LENGTH;
        let mut deadline = InputDeadline::new(LENGTH, start);
        let mut judged = vec![deadline];
        for _ in 0..LOOKS {
            deadline.judge(due, true);
            judged.push(deadline);
        }
        deadline.judge(due + LENGTH, false);
        judged.push(deadline);
        for deadline in judged {
            assert_eq!(
                InputDeadline::restore(deadline.save(due), due),
                Ok(deadline)
            );
        }
        let mut saved = deadline.save(due);
        saved.length = LONGEST + MOMENT;
        assert_eq!(InputDeadline::restore(saved, due), Err(TimeOutOfRange));
    }

    #[test]
    fn deadline_beyond_the_clock_is_a_century() {
        let start = Instant::now();
        let deadline = InputDeadline::new(Duration::MAX, start);
        assert_eq!(deadline.left(start), LONGEST);
    }

    #[test]
    fn extension_of_a_long_deadline_is_bounded() {
        let start = Instant::now();
        let mut deadline = InputDeadline::new(LENGTH * 1000, start);
        let resumed = start + LENGTH * 2000;
        assert_eq!(
            deadline.judge(resumed, false),
            Verdict::Wait(LONGEST_EXTENSION)
        );
    }
}

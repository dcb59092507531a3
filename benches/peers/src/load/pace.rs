//! A steady pace: when each message is due, a timer that says so, and how long after that
//! each delivery came.
//!
//! Latencies count from the moment at which a message is due and not from the one at which it
//! was written. A load that is late because the server held it up would otherwise leave out
//! just those messages that waited (coordinated omission).

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::time::Instant;

use anyhow::Result;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use crate::engine::latencies::Latencies;
use crate::engine::schedule::Schedule;

/// Messages at a steady rate.
#[derive(Debug)]
pub struct Pace {
    /// Wakes an epoll when a message is due (timerfd_create(2)).
    timer: File,
    schedule: Schedule,
    latencies: Latencies,
}

impl Pace {
    /// Begins with the first of `rate` messages a second, 1 at least.
    pub fn start(rate: u64) -> Result<Pace> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer: OwnedFd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let nanos = 1_000_000_000 / rate;
        let period = Timespec {
            tv_sec: (nanos / 1_000_000_000) as i64,
            tv_nsec: (nanos % 1_000_000_000) as i64,
        };
        let ticks = Itimerspec {
            it_interval: period,
            it_value: period,
        };
        // Before the timer, or each of its ticks would come just before a message is due.
        let begin = Instant::now();
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &ticks)?;
        Ok(Pace {
            timer: timer.into(),
            schedule: Schedule::new(begin, rate as f64),
            // Three digits: the histogram has to stay in the processor's cache.
            latencies: Latencies::with_digits(3),
        })
    }

    /// Returns what an epoll watches.
    pub fn file(&self) -> &File {
        &self.timer
    }

    /// Makes the timer quiet until the next message is due.
    pub fn clear(&self) -> Result<()> {
        match (&self.timer).read(&mut [0; 8]) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Returns how many messages are due at `now`, if `before` of them were due before.
    pub fn due_by(&self, now: Instant, before: u64) -> u64 {
        self.schedule.due_by(now, before)
    }

    /// Records that the messages with these indices were delivered just now.
    pub fn record(&mut self, indices: Range<u64>) {
        if indices.is_empty() {
            return;
        }
        let now = Instant::now();
        for index in indices {
            let due = self.schedule.due_at(index);
            self.latencies.record(now.saturating_duration_since(due));
        }
    }

    /// Returns what was recorded.
    pub fn latencies(&self) -> &Latencies {
        &self.latencies
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn latency_counts_from_the_due_time_not_the_write() {
        let mut pace = Pace::start(10).expect("a timer");
        // Nothing is written for a second: the first message is that late, and the second
        // one a tenth of a second less.
        let begin = Instant::now().checked_sub(Duration::from_secs(1));
        pace.schedule = Schedule::new(begin.expect("the machine is up"), 10.0);
        pace.record(0..2);
        let found = pace.latencies().percentiles().expect("two");
        assert_eq!(found.count, 2);
        assert!(found.max_us >= 1e6 && found.p50_us >= 0.9e6, "{found:?}");
    }
}

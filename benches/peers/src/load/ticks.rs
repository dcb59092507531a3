//! A timer among the sockets (timerfd_create(2)).

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::OwnedFd;

use anyhow::Result;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

/// A timer that wakes an epoll at a steady pace.
#[derive(Debug)]
pub struct Ticks(File);

impl Ticks {
    /// Starts a timer of `rate` ticks a second, 1 at least.
    pub fn a_second(rate: u64) -> Result<Ticks> {
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
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &ticks)?;
        Ok(Ticks(timer.into()))
    }

    /// Returns what an epoll watches.
    pub fn file(&self) -> &File {
        &self.0
    }

    /// Makes it quiet until the next tick.
    pub fn clear(&self) -> Result<()> {
        match (&self.0).read(&mut [0; 8]) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error.into()),
            _ => Ok(()),
        }
    }
}

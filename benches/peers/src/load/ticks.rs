//! A timer among the sockets.

use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::Result;
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

/// A timer that wakes an epoll at a steady pace.
#[derive(Debug)]
pub struct Ticks(OwnedFd);

impl Ticks {
    /// Starts it.
    pub fn every(period: Duration) -> Result<Ticks> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let period = Timespec {
            tv_sec: i64::try_from(period.as_secs())?,
            tv_nsec: i64::from(period.subsec_nanos()),
        };
        let ticks = Itimerspec {
            it_interval: period,
            it_value: period,
        };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &ticks)?;
        Ok(Ticks(timer))
    }

    /// What an epoll watches.
    pub fn socket(&self) -> &OwnedFd {
        &self.0
    }

    /// Makes it quiet until the next tick.
    pub fn clear(&self) -> Result<()> {
        match rustix::io::read(&self.0, &mut [0; 8]) {
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

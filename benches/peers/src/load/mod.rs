//! The load: one thread whose clients do the same cheap thing for every system.

mod clocks;
pub mod fan_out;
pub mod latency;
pub mod loops;
mod pace;
mod publisher;

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clocks::Clocks;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::fs::Timespec;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// What one read takes at most, into the one buffer of all connections.
pub const BUFFER: usize = 256 * 1024;

/// A run in which nothing moves for so long is over.
const STANDSTILL: Duration = Duration::from_secs(5);

/// And none takes longer than this.
const LONGEST: Duration = Duration::from_secs(120);

/// What one run has shown.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Deliveries, or requests that were answered.
    pub done: u64,
    /// Deliveries that were due and never came.
    pub lost: u64,
    /// From the first byte that was sent to the last one that was due.
    pub seconds: f64,
    /// Done a second.
    pub rate: f64,
    /// Server CPU seconds a million done.
    pub cpu: f64,
    /// The share of the run in which the load's own thread was busy.
    pub load_busy: f64,
    /// The share of all processors that neither the load nor the server used, and
    /// that was busy all the same. Where it is not near 0, the run was disturbed.
    pub others_busy: f64,
    /// Round trips, in microseconds; where each was timed.
    pub p50: Option<f64>,
    /// The same.
    pub p99: Option<f64>,
}

/// An epoll instance, and a watch over whether anything still happens.
pub struct Poll {
    epoll: OwnedFd,
    events: Vec<Event>,
    begin: Instant,
    moved: Instant,
}

impl Poll {
    fn new() -> Result<Poll> {
        let now = Instant::now();
        Ok(Poll {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            events: Vec::with_capacity(256),
            begin: now,
            moved: now,
        })
    }

    fn add(&self, socket: &OwnedFd, index: usize, flags: EventFlags) -> Result<()> {
        let data = EventData::new_u64(index as u64);
        Ok(epoll::add(&self.epoll, socket, data, flags)?)
    }

    fn change(&self, socket: &OwnedFd, index: usize, flags: EventFlags) -> Result<()> {
        let data = EventData::new_u64(index as u64);
        Ok(epoll::modify(&self.epoll, socket, data, flags)?)
    }

    fn forget(&self, socket: &OwnedFd) -> Result<()> {
        Ok(epoll::delete(&self.epoll, socket)?)
    }

    /// What has happened; `None`: for too long nothing has.
    fn wait(&mut self) -> Result<Option<Vec<Event>>> {
        if self.begin.elapsed() > LONGEST {
            bail!("not over after {LONGEST:?}");
        }
        let timeout = Timespec {
            tv_sec: 1,
            tv_nsec: 0,
        };
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&timeout)) {
            Ok(0) if self.moved.elapsed() > STANDSTILL => return Ok(None),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => self.moved = Instant::now(),
            Err(error) => return Err(error.into()),
        }
        Ok(Some(events))
    }

    /// Gives the events' memory back, for the next wait.
    fn reuse(&mut self, events: Vec<Event>) {
        self.events = events;
    }
}

/// What one read has brought.
enum Got<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// Nothing now.
    Nothing,
    /// The server has closed the connection.
    End,
}

/// Reads once.
fn read<'a>(socket: &OwnedFd, buffer: &'a mut [u8]) -> Result<Got<'a>> {
    match rustix::io::read(socket, &mut *buffer) {
        Ok(0) | Err(Errno::CONNRESET) => Ok(Got::End),
        Ok(length) => Ok(Got::Bytes(&buffer[..length])),
        Err(Errno::AGAIN | Errno::INTR) => Ok(Got::Nothing),
        Err(error) => Err(error.into()),
    }
}

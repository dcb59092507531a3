//! Which of a run's connections can go on.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rustix::event::epoll::{Event, EventFlags};
use rustix::fs::Timespec;
use rustix::io::Errno;

use crate::engine::connection::Connection;
use crate::epoll::Epoll;

/// A run in which nothing moves for so long is over.
const STANDSTILL: Duration = Duration::from_secs(5);

/// No run takes longer than this.
const LONGEST: Duration = Duration::from_secs(120);

/// An epoll instance that notices when nothing happens any more.
pub struct Ready {
    epoll: Epoll,
    events: Vec<Event>,
    begin: Instant,
    moved: Instant,
}

impl Ready {
    /// Watches no connection yet.
    pub fn new() -> Result<Ready> {
        let now = Instant::now();
        Ok(Ready {
            epoll: Epoll::new()?,
            events: Vec::with_capacity(256),
            begin: now,
            moved: now,
        })
    }

    /// Begins to watch whether a connection can be read, or a timer has run out.
    pub fn add(&self, socket: &OwnedFd, index: usize) -> Result<()> {
        self.epoll.add(socket, index as u64, EventFlags::IN)
    }

    /// Watches, or watches no longer, whether a connection can be written to.
    pub fn watch_writes(&self, socket: &OwnedFd, index: usize, writes: bool) -> Result<()> {
        let mut flags = EventFlags::IN;
        flags.set(EventFlags::OUT, writes);
        self.epoll.change(socket, index as u64, flags)
    }

    /// Watches a connection no longer.
    pub fn remove(&self, socket: &OwnedFd) -> Result<()> {
        self.epoll.remove(socket)
    }

    /// Waits for events; `None` if nothing has happened for too long.
    ///
    /// # Errors
    /// The run takes too long, or epoll fails.
    pub fn wait(&mut self) -> Result<Option<Vec<Event>>> {
        if self.begin.elapsed() > LONGEST {
            bail!("not over after {LONGEST:?}");
        }
        let timeout = Timespec {
            tv_sec: 1,
            tv_nsec: 0,
        };
        let mut events = std::mem::take(&mut self.events);
        self.epoll.wait(&mut events, Some(&timeout))?;
        if !events.is_empty() {
            self.moved = Instant::now();
        } else if self.moved.elapsed() > STANDSTILL {
            return Ok(None);
        }
        Ok(Some(events))
    }

    /// Gives the events' memory back, for the next wait.
    pub fn reuse(&mut self, events: Vec<Event>) {
        self.events = events;
    }
}

/// Returns the context of a poll that epoll asked for: it wakes nothing.
pub fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// A socket that does not block. A reset counts as the end of the stream.
impl Connection for OwnedFd {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match rustix::io::read(&*self, buffer) {
            Ok(length) => Poll::Ready(Ok(length)),
            Err(Errno::CONNRESET) => Poll::Ready(Ok(0)),
            Err(Errno::AGAIN | Errno::INTR) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }

    fn poll_write(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match rustix::io::write(&*self, bytes) {
            Ok(length) => Poll::Ready(Ok(length)),
            Err(Errno::AGAIN | Errno::INTR) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

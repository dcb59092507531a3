//! An epoll instance (epoll(7)), level-triggered, for the load and for the bare loops.

use std::os::fd::{AsFd, OwnedFd};

use anyhow::Result;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::fs::Timespec;
use rustix::io::Errno;

/// Tells which descriptors are ready. Each carries an index of its owner's choice.
#[derive(Debug)]
pub struct Epoll(OwnedFd);

impl Epoll {
    /// Creates one that watches nothing.
    pub fn new() -> Result<Epoll> {
        Ok(Epoll(epoll::create(epoll::CreateFlags::CLOEXEC)?))
    }

    /// Begins to watch a descriptor.
    pub fn add(&self, socket: impl AsFd, index: u64, flags: EventFlags) -> Result<()> {
        Ok(epoll::add(
            &self.0,
            socket,
            EventData::new_u64(index),
            flags,
        )?)
    }

    /// Watches a descriptor for other events.
    pub fn change(&self, socket: impl AsFd, index: u64, flags: EventFlags) -> Result<()> {
        let data = EventData::new_u64(index);
        Ok(epoll::modify(&self.0, socket, data, flags)?)
    }

    /// Watches a descriptor no longer.
    pub fn remove(&self, socket: impl AsFd) -> Result<()> {
        Ok(epoll::delete(&self.0, socket)?)
    }

    /// Waits for events, `timeout` at the most, and puts them into `events`.
    pub fn wait(&self, events: &mut Vec<Event>, timeout: Option<&Timespec>) -> Result<()> {
        events.clear();
        match epoll::wait(&self.0, spare_capacity(events), timeout) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

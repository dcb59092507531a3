//! One epoll instance and the listener in it.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;

use anyhow::Result;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::io::Errno;

/// What the listener's events carry; connections carry their index.
pub const LISTENER: u64 = u64::MAX;

/// An epoll instance, level-triggered.
#[derive(Debug)]
pub struct Poll {
    epoll: OwnedFd,
    listener: UnixListener,
}

impl Poll {
    /// Listens at `path`.
    pub fn listen(path: &Path) -> Result<Poll> {
        let listener = UnixListener::bind(path)?;
        // std asks for a backlog of 128 only; and none of this is timed.
        rustix::net::listen(&listener, 4096)?;
        listener.set_nonblocking(true)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let data = EventData::new_u64(LISTENER);
        epoll::add(&epoll, &listener, data, EventFlags::IN)?;
        Ok(Poll { epoll, listener })
    }

    /// The next caller, if there is one.
    pub fn accept(&self) -> Result<Option<OwnedFd>> {
        match self.listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(true)?;
                Ok(Some(stream.into()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Begins to watch a connection.
    pub fn add(&self, socket: impl AsFd, index: usize, flags: EventFlags) -> Result<()> {
        let data = EventData::new_u64(index as u64);
        Ok(epoll::add(&self.epoll, socket, data, flags)?)
    }

    /// Watches a connection for something else.
    pub fn change(&self, socket: impl AsFd, index: usize, flags: EventFlags) -> Result<()> {
        let data = EventData::new_u64(index as u64);
        Ok(epoll::modify(&self.epoll, socket, data, flags)?)
    }

    /// Waits until something has happened.
    pub fn wait(&self, events: &mut Vec<Event>) -> Result<()> {
        events.clear();
        match epoll::wait(&self.epoll, spare_capacity(events), None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

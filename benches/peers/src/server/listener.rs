//! The listening socket of a bare loop, in its epoll instance.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;

use anyhow::Result;
use rustix::event::epoll::EventFlags;

use crate::epoll::Epoll;

/// The index of the listener's events; connections carry theirs.
pub const LISTENER: u64 = u64::MAX;

/// A listening unix socket.
#[derive(Debug)]
pub struct Listener(UnixListener);

impl Listener {
    /// Listens at `path` and is watched by `epoll`.
    pub fn bind(path: &Path, epoll: &Epoll) -> Result<Listener> {
        let listener = UnixListener::bind(path)?;
        // std asks for a backlog of 128 only; and none of this is timed.
        rustix::net::listen(&listener, 4096)?;
        listener.set_nonblocking(true)?;
        epoll.add(&listener, LISTENER, EventFlags::IN)?;
        Ok(Listener(listener))
    }

    /// Accepts the next connection, if there is one.
    pub fn accept(&self) -> Result<Option<OwnedFd>> {
        match self.0.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(true)?;
                Ok(Some(stream.into()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

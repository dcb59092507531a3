//! One epoll thread that sends back what it reads.

use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::Result;
use rustix::event::epoll::{Event, EventFlags};
use rustix::io::Errno;

use super::poll::{LISTENER, Poll};

/// Serves at `path` until it is killed.
pub fn serve(path: &Path) -> Result<()> {
    let poll = Poll::listen(path)?;
    let mut sockets: Vec<Option<OwnedFd>> = Vec::new();
    let mut events: Vec<Event> = Vec::with_capacity(256);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        poll.wait(&mut events)?;
        for event in &events {
            if event.data.u64() == LISTENER {
                while let Some(socket) = poll.accept()? {
                    poll.add(&socket, sockets.len(), EventFlags::IN)?;
                    sockets.push(Some(socket));
                }
                continue;
            }
            let place = &mut sockets[usize::try_from(event.data.u64())?];
            if let Some(socket) = place
                && !echo(socket, &mut buffer)?
            {
                *place = None;
            }
        }
    }
}

/// `false`: the connection is over.
fn echo(socket: &OwnedFd, buffer: &mut [u8]) -> Result<bool> {
    let length = match rustix::io::read(socket, &mut *buffer) {
        Ok(0) | Err(Errno::CONNRESET) => return Ok(false),
        Ok(length) => length,
        Err(Errno::AGAIN | Errno::INTR) => return Ok(true),
        Err(error) => return Err(error.into()),
    };
    // A client that asks no more than it reads leaves room for the reply.
    let mut rest = &buffer[..length];
    while !rest.is_empty() {
        match rustix::io::write(socket, rest) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::PIPE | Errno::CONNRESET) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}

//! One epoll thread that sends back what it reads.

use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::Result;
use rustix::event::epoll::{Event, EventFlags};
use rustix::io::Errno;

use super::listener::{LISTENER, Listener};
use crate::epoll::Epoll;

/// Serves at `path` until it is killed.
pub fn serve(path: &Path) -> Result<()> {
    let epoll = Epoll::new()?;
    let listener = Listener::bind(path, &epoll)?;
    let mut sockets: Vec<Option<OwnedFd>> = Vec::new();
    let mut events: Vec<Event> = Vec::with_capacity(256);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        epoll.wait(&mut events, None)?;
        for event in &events {
            if event.data.u64() == LISTENER {
                while let Some(socket) = listener.accept()? {
                    epoll.add(&socket, sockets.len() as u64, EventFlags::IN)?;
                    sockets.push(Some(socket));
                }
                continue;
            }
            let slot = &mut sockets[usize::try_from(event.data.u64())?];
            if let Some(socket) = slot
                && !echo(socket, &mut buffer)?
            {
                *slot = None;
            }
        }
    }
}

/// Sends back what one read brings; `false` if the connection is over.
fn echo(socket: &OwnedFd, buffer: &mut [u8]) -> Result<bool> {
    let length = match rustix::io::read(socket, &mut *buffer) {
        Ok(0) | Err(Errno::CONNRESET) => return Ok(false),
        Ok(length) => length,
        Err(Errno::AGAIN | Errno::INTR) => return Ok(true),
        Err(error) => return Err(error.into()),
    };
    // A client that has no more requests in flight than it reads replies leaves space
    // for this write.
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

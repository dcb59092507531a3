//! A socket of any kind that never blocks.

use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;

use arauto::Endpoint;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::io::Interest;
use tokio::net::UnixStream;

use crate::support::BareClient;

/// Room for a message of any length: 128 KiB is the longest.
pub(super) struct Room(RefCell<Vec<u8>>);

impl Default for Room {
    fn default() -> Room {
        Room(RefCell::new(vec![0; 256 * 1024]))
    }
}

/// A connected socket. Of whatever kind it is: the runtime is asked for readiness only.
pub(crate) struct Socket(UnixStream);

impl Socket {
    pub(crate) fn connect(endpoint: &Endpoint) -> Socket {
        Socket::over(BareClient::connect(endpoint).into_socket())
    }

    pub(crate) fn over(socket: OwnedFd) -> Socket {
        rustix::io::ioctl_fionbio(&socket, true).expect("it is a socket");
        let socket = UnixStream::from_std(socket.into());
        Socket(socket.expect("the runtime takes it"))
    }

    /// Puts what is there behind `bytes`, once there is something; 0 at the end. The
    /// room that it is received into is everybody's.
    pub(super) async fn receive(&self, bytes: &mut Vec<u8>, room: &Room) -> io::Result<usize> {
        let take = || {
            let mut room = room.0.borrow_mut();
            let (length, _) = recv(&self.0, &mut room[..], RecvFlags::empty())?;
            bytes.extend_from_slice(&room[..length]);
            Ok(length)
        };
        self.0.async_io(Interest::READABLE, take).await
    }

    /// Sends as much of it as there is room for, once there is some.
    pub(super) async fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let give = || Ok(send(&self.0, bytes, SendFlags::NOSIGNAL)?);
        self.0.async_io(Interest::WRITABLE, give).await
    }
}

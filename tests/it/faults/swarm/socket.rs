//! A socket of any kind that never blocks.

use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;

use arauto::Endpoint;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::io::Interest;
use tokio::net::UnixStream;

use crate::support::BareClient;

/// A receive buffer for messages of any length, of which 128 KiB is the longest. The clients of a
/// swarm share it.
pub(super) struct ReceiveBuffer(RefCell<Vec<u8>>);

impl Default for ReceiveBuffer {
    fn default() -> ReceiveBuffer {
        ReceiveBuffer(RefCell::new(vec![0; 256 * 1024]))
    }
}

/// A connected socket of any kind. The runtime is used only for its readiness.
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

    /// Waits for input and appends it to `bytes`. Returns its length, which is 0 at the end.
    /// `buffer` is scratch space.
    pub(super) async fn receive(
        &self,
        bytes: &mut Vec<u8>,
        buffer: &ReceiveBuffer,
    ) -> io::Result<usize> {
        let take = || {
            let mut buffer = buffer.0.borrow_mut();
            let (length, _) = recv(&self.0, &mut buffer[..], RecvFlags::empty())?;
            bytes.extend_from_slice(&buffer[..length]);
            Ok(length)
        };
        self.0.async_io(Interest::READABLE, take).await
    }

    /// Waits until the socket is writable, and sends as many bytes as it takes.
    pub(super) async fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let give = || Ok(send(&self.0, bytes, SendFlags::NOSIGNAL)?);
        self.0.async_io(Interest::WRITABLE, give).await
    }
}

//! Listening sockets that the program around the server passes to it.

use super::system::PassedDescriptor;

/// A listening socket that was made by another program, such as systemd, or by the program around
/// the server. An endpoint `systemd:NAME` listens on the sockets of its name.
///
/// The server accepts connections on it and leaves the rest to its maker: it neither removes the
/// socket's file nor makes it again, and a stop leaves the clients that wait in its backlog to the
/// next server. Clones share one descriptor, which is closed with the last of them and of the
/// servers that listen there.
#[derive(Debug, Clone)]
pub struct PassedSocket {
    name: String,
    descriptor: PassedDescriptor,
}

impl PassedSocket {
    /// Makes one of a socket that listens: a stream or seqpacket socket of unix, or TCP on loopback.
    /// The server checks that when it binds the endpoint.
    #[cfg(unix)]
    pub fn new(name: impl Into<String>, socket: impl Into<std::os::fd::OwnedFd>) -> PassedSocket {
        PassedSocket {
            name: name.into(),
            descriptor: PassedDescriptor::new(socket.into()),
        }
    }

    /// Returns the name that endpoints call it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn descriptor(&self) -> &PassedDescriptor {
        &self.descriptor
    }
}

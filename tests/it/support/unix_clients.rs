//! Clients on kinds of sockets that only Unix has: seqpacket, and raw clients.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Weak;
use std::time::Duration;

use arauto::{Config, Endpoint};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{Shutdown, shutdown};

use super::bare_client::{SeqpacketSocket, seqpacket};
use super::frame_client::ClientSocket;
use super::{BareClient, Fixture, FrameClient};

/// The time limit of a receive: longer than anything that a test waits for.
const TIME_LIMIT: Duration = Duration::from_secs(50);

impl ClientSocket for SeqpacketSocket {
    fn shut(&self) {
        let _ = shutdown(&self.0, Shutdown::Both);
    }

    fn shut_write(&self) {
        let _ = shutdown(&self.0, Shutdown::Write);
    }
}

impl FrameClient {
    /// Makes a client on a seqpacket socket.
    pub fn packets(socket: OwnedFd) -> FrameClient {
        set_socket_timeout(&socket, Timeout::Recv, Some(TIME_LIMIT)).expect("it is a socket");
        FrameClient::over(Box::new(SeqpacketSocket(socket)))
    }
}

impl Fixture {
    /// Starts a server whose endpoint is a socket of this kind.
    pub fn on(kind: &str, options: &str, change: impl FnOnce(&mut Config)) -> Fixture {
        let endpoint = |folder: &std::path::Path| {
            let endpoint = format!("{kind}:{}", folder.join("s.sock").display());
            endpoint.parse().expect("it is an endpoint")
        };
        Fixture::at(endpoint, options, change)
    }

    pub fn socket(&self) -> PathBuf {
        match self.endpoint() {
            Endpoint::Unix(path) | Endpoint::SeqPacket(path) => path.clone(),
            other => panic!("{other} is no socket's file"),
        }
    }

    /// Returns a connected seqpacket socket.
    pub fn packets(&self) -> OwnedFd {
        let socket = seqpacket(&self.socket());
        let other = socket.try_clone().expect("a descriptor is free");
        self.will_end(UnixStream::from(other));
        socket
    }

    /// Returns a raw client, connected to the first endpoint.
    pub fn bare(&self) -> BareClient {
        let bare = BareClient::connect(&self.server.endpoints()[0]);
        let mut connected = self.bare.lock().expect("no test panics here");
        connected.push(bare.socket());
        bare
    }

    /// Disconnects the raw clients that the test still holds.
    pub(super) fn end_bare(&self) {
        let bare = std::mem::take(&mut *self.bare.lock().expect("no test panics here"));
        for socket in bare.iter().filter_map(Weak::upgrade) {
            let _ = shutdown(&*socket, Shutdown::Both);
        }
    }
}

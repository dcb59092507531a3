//! A listening socket that another program has made and passed to this one.

use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::sockopt::{socket_acceptconn, socket_type};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, getsockname};

use crate::transport::Endpoint;

/// The descriptor of such a socket; clones share it.
#[derive(Debug, Clone)]
pub(in crate::transport) struct PassedDescriptor(Arc<OwnedFd>);

/// A socket whose kind and address are known.
#[derive(Debug)]
pub(in crate::transport) enum OpenedSocket {
    /// A unix socket, and its address.
    Local(Endpoint, OwnedFd),
    /// A TCP socket, and its address.
    Tcp(SocketAddr, std::net::TcpListener),
}

/// Why a socket cannot be listened on.
#[derive(Debug)]
pub(in crate::transport) enum OpenError {
    /// It is of the wrong kind; the text says what to do.
    Unsuitable(&'static str),
    /// The system refuses.
    Io(io::Error),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        OpenError::Io(error)
    }
}

impl From<Errno> for OpenError {
    fn from(error: Errno) -> Self {
        OpenError::Io(error.into())
    }
}

const NO_SOCKET: &str = "it is no socket: pass ListenStream= or ListenSequentialPacket= only";
const NOT_LISTENING: &str = "it does not listen: for systemd set Accept=no";
const OTHER_KIND: &str = "it is neither a stream nor a seqpacket socket of unix, nor TCP: use \
                          ListenStream= or ListenSequentialPacket=";
const UNUSABLE_NAME: &str = "its address is no path and no name in UTF-8: give it a path";
const ABSTRACT_SEQPACKET: &str = "it is a seqpacket socket without a file: give it a path";

impl PassedDescriptor {
    pub(in crate::transport) fn new(socket: OwnedFd) -> Self {
        PassedDescriptor(Arc::new(socket))
    }

    /// Opens the socket for a listener: finds out its kind and its address, and returns a
    /// descriptor of the listener's own, which is closed on exec and does not block.
    ///
    /// # Errors
    /// It is of a kind that no server listens on, or the system has no descriptor.
    pub(in crate::transport) fn open(&self) -> Result<OpenedSocket, OpenError> {
        let kind = match socket_type(&self.0) {
            Err(Errno::NOTSOCK) => return Err(OpenError::Unsuitable(NO_SOCKET)),
            kind => kind?,
        };
        if !matches!(kind, SocketType::STREAM | SocketType::SEQPACKET) {
            return Err(OpenError::Unsuitable(OTHER_KIND));
        }
        if !socket_acceptconn(&self.0)? {
            return Err(OpenError::Unsuitable(NOT_LISTENING));
        }
        let address = getsockname(&self.0)?;
        let opened = match (address.address_family(), kind) {
            (AddressFamily::UNIX, _) => {
                let address = SocketAddrUnix::try_from(address)?;
                let endpoint = endpoint_of(&address, kind).map_err(OpenError::Unsuitable)?;
                OpenedSocket::Local(endpoint, self.0.try_clone()?)
            }
            (AddressFamily::INET | AddressFamily::INET6, SocketType::STREAM) => {
                let address = SocketAddr::try_from(address)?;
                OpenedSocket::Tcp(address, self.0.try_clone()?.into())
            }
            _ => return Err(OpenError::Unsuitable(OTHER_KIND)),
        };
        rustix::io::ioctl_fionbio(self.0.as_fd(), true)?;
        Ok(opened)
    }
}

/// Returns the endpoint that clients reach a unix socket by.
fn endpoint_of(address: &SocketAddrUnix, kind: SocketType) -> Result<Endpoint, &'static str> {
    if let Some(path) = address.path_bytes().filter(|path| !path.is_empty()) {
        let path = PathBuf::from(OsStr::from_bytes(path));
        return Ok(match kind {
            SocketType::SEQPACKET => Endpoint::SeqPacket(path),
            _ => Endpoint::Unix(path),
        });
    }
    let name = address
        .abstract_name()
        .and_then(|name| str::from_utf8(name).ok());
    match name {
        Some(_) if kind == SocketType::SEQPACKET => Err(ABSTRACT_SEQPACKET),
        Some(name) => Ok(Endpoint::Abstract(name.to_owned())),
        None => Err(UNUSABLE_NAME),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    fn opened(socket: impl Into<OwnedFd>) -> Result<OpenedSocket, OpenError> {
        PassedDescriptor::new(socket.into()).open()
    }

    #[track_caller]
    fn assert_unsuitable(socket: impl Into<OwnedFd>, expected: &str) {
        match opened(socket) {
            Err(OpenError::Unsuitable(problem)) => assert_eq!(problem, expected),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn passed_descriptor_that_does_not_listen_is_refused() {
        let (connected, _peer) = UnixStream::pair().expect("a pair");
        assert_unsuitable(connected, NOT_LISTENING);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let connection = std::net::TcpStream::connect(address).expect("it listens");
        assert_unsuitable(connection, NOT_LISTENING);
        assert_unsuitable(
            UdpSocket::bind("127.0.0.1:0").expect("a port is free"),
            OTHER_KIND,
        );
        let file = std::fs::File::open("/dev/null").expect("it is everywhere");
        assert_unsuitable(file, NO_SOCKET);
    }

    #[test]
    fn passed_socket_is_opened_with_its_address() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.sock");
        let socket = UnixListener::bind(&path).expect("the folder is ours");
        match opened(socket) {
            Ok(OpenedSocket::Local(endpoint, _)) => assert_eq!(endpoint, Endpoint::Unix(path)),
            other => panic!("{other:?}"),
        }
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let own = tcp.local_addr().expect("it is bound");
        match opened(tcp) {
            Ok(OpenedSocket::Tcp(address, _)) => assert_eq!(address, own),
            other => panic!("{other:?}"),
        }
    }
}

//! Listening sockets that another program passes, of which Windows has none: these types have no
//! values.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use super::listener::LocalListener;
use crate::transport::Endpoint;

/// The descriptor of such a socket.
#[derive(Debug, Clone)]
pub(in crate::transport) struct PassedDescriptor(Infallible);

/// A unix socket. Its field is private, so that code for both systems may match it.
#[derive(Debug)]
pub(in crate::transport) struct NoSocket(Infallible);

/// A socket whose kind and address are known.
#[derive(Debug)]
#[expect(dead_code, reason = "nothing passes a socket")]
pub(in crate::transport) enum OpenedSocket {
    Local(Endpoint, NoSocket),
    Tcp(SocketAddr, std::net::TcpListener),
}

/// Why a socket cannot be listened on.
#[derive(Debug)]
#[expect(dead_code, reason = "nothing passes a socket")]
pub(in crate::transport) enum OpenError {
    Unsuitable(&'static str),
    Io(io::Error),
}

impl PassedDescriptor {
    /// Cannot be called.
    pub(in crate::transport) fn open(&self) -> Result<OpenedSocket, OpenError> {
        match self.0 {}
    }
}

impl LocalListener {
    /// Cannot be called.
    pub(in crate::transport) fn passed(_endpoint: &Endpoint, socket: NoSocket) -> io::Result<Self> {
        match socket.0 {}
    }
}

//! TCP, as far as only unix has it.

use std::io;
use std::net::SocketAddr;

use rustix::net::sockopt::{set_ipv6_v6only, set_socket_reuseaddr};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use tokio::net::{TcpListener, TcpStream};

use super::listener::accept_now as accept_fd;
use super::socket_state;

/// Whether [`is_acked`] can ever be true.
pub(in crate::transport) const TELLS_ACKS: bool = true;

/// Connections that may wait for their accept; the kernel caps it by somaxconn.
const BACKLOG: i32 = 4096;

/// Returns whether the peer has closed both sides. The kernel knows it once something was sent.
pub(in crate::transport) fn is_hung_up(stream: &TcpStream) -> io::Result<bool> {
    socket_state::is_hung_up(stream)
}

/// Returns whether something can be received, or the peer has closed its side.
pub(in crate::transport) fn has_input(stream: &TcpStream) -> io::Result<bool> {
    socket_state::has_input(stream)
}

/// Returns whether the peer's kernel has acknowledged everything (SIOCOUTQ, tcp(7)), and no
/// error waits on the socket: after a reset the peer has read less than its kernel took.
pub(in crate::transport) fn is_acked(stream: &TcpStream) -> io::Result<bool> {
    socket_state::is_all_taken(stream)
}

/// Listens on an address. An IPv6 address, `[::]` included, never takes IPv4 connections
/// (IPV6_V6ONLY, ipv6(7)): one can listen on both families, and a peer has one address only.
pub(in crate::transport) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    // Connections of a former listener in TIME_WAIT do not keep the port (socket(7)).
    set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        set_ipv6_v6only(&socket, true)?;
    }
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    TcpListener::from_std(std::net::TcpListener::from(socket))
}

/// Accepts without asking the runtime whether a client waits.
pub(in crate::transport) fn accept_now(listener: &TcpListener) -> io::Result<TcpStream> {
    let socket = accept_fd(listener)?;
    TcpStream::from_std(std::net::TcpStream::from(socket))
}

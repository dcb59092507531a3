//! What only unix tells of TCP.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use rustix::net::sockopt::{set_ipv6_v6only, set_socket_reuseaddr};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use tokio::net::{TcpListener, TcpStream};

pub(in crate::transport) use super::tcp_state::{
    SendState, TELLS_SEND_STATE, send_state, set_user_timeout,
};

/// Whether the peer has closed both sides. That is known once something was sent.
pub(in crate::transport) fn is_hung_up(stream: &TcpStream) -> io::Result<bool> {
    super::is_hung_up(stream)
}

/// Whether something can be received.
pub(in crate::transport) fn has_input(stream: &TcpStream) -> io::Result<bool> {
    super::has_input(stream)
}

/// Whether the peer's kernel has acknowledged everything (SIOCOUTQ, tcp(7)), and no error
/// waits on the socket: after a reset the peer has read less than its kernel took.
pub(in crate::transport) fn is_acked(stream: &TcpStream) -> io::Result<bool> {
    super::is_taken(stream)
}

/// Whether [`is_acked`] can ever be true.
pub(in crate::transport) const TELLS_ACKS: bool = true;

pub(in crate::transport) const SENDS_FILES: bool = cfg!(target_os = "linux");

pub(in crate::transport) fn poll_send_file(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    file: &File,
    offset: u64,
    length: usize,
) -> Poll<io::Result<usize>> {
    super::send_file::poll_tcp(stream, cx, file, offset, length)
}

/// Connections that may wait for their accept; the kernel caps it by somaxconn.
const BACKLOG: i32 = 4096;

/// Listens on an address. An IPv6 address, `[::]` included, is never IPv4's as well
/// (IPV6_V6ONLY, ipv6(7)): so each can be listened on beside the other, and a peer has one
/// address only.
///
/// # Errors
/// The system does not let it.
pub(in crate::transport) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    // A port is free again as soon as nobody listens on it (socket(7)).
    set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        set_ipv6_v6only(&socket, true)?;
    }
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    TcpListener::from_std(std::net::TcpListener::from(socket))
}

/// Accepts without asking the runtime whether there is something to accept.
pub(in crate::transport) fn accept_now(listener: &TcpListener) -> io::Result<TcpStream> {
    let socket = super::door::accept_now(listener)?;
    TcpStream::from_std(std::net::TcpStream::from(socket))
}

//! TCP, as far as Windows has it: less is known of a connection than on unix.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};

use tokio::net::{TcpListener, TcpStream};

/// Whether [`is_acked`] can ever be true.
pub(in crate::transport) const TELLS_ACKS: bool = false;

/// Returns `false`: only a write tells that the peer has closed both sides.
pub(in crate::transport) fn is_hung_up(_stream: &TcpStream) -> io::Result<bool> {
    Ok(false)
}

/// Returns `false`: only the runtime knows of input.
pub(in crate::transport) fn has_input(_stream: &TcpStream) -> io::Result<bool> {
    Ok(false)
}

/// Returns `false`: no call tells how much the peer's kernel has acknowledged.
pub(in crate::transport) fn is_acked(_stream: &TcpStream) -> io::Result<bool> {
    Ok(false)
}

/// Listens on an address. An IPv6 address never takes IPv4 connections: IPV6_V6ONLY is the
/// default here.
pub(in crate::transport) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Accepts a client that the runtime knows of; the system may know of more.
pub(in crate::transport) fn accept_now(listener: &TcpListener) -> io::Result<TcpStream> {
    match listener.poll_accept(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(accepted) => accepted.map(|(stream, _)| stream),
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

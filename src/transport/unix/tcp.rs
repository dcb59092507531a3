//! What only unix tells of TCP.

use std::fs::File;
use std::io;
use std::task::{Context, Poll};

use tokio::net::{TcpListener, TcpStream};

/// Whether the peer has closed both sides. That is known once something was sent.
pub(in crate::transport) fn is_hung_up(stream: &TcpStream) -> io::Result<bool> {
    super::is_hung_up(stream)
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

/// Accepts without asking the runtime whether there is something to accept.
pub(in crate::transport) fn accept_now(listener: &TcpListener) -> io::Result<TcpStream> {
    let socket = super::door::accept_now(listener)?;
    TcpStream::from_std(std::net::TcpStream::from(socket))
}

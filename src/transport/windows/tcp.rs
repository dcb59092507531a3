//! What Windows tells of TCP: less than unix.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

/// Whether the peer has closed both sides: a write tells it, and nothing else.
pub(in crate::transport) fn is_hung_up(_stream: &TcpStream) -> io::Result<bool> {
    Ok(false)
}

/// The runtime's word is all that there is here.
pub(in crate::transport) fn has_input(_stream: &TcpStream) -> io::Result<bool> {
    Ok(false)
}

/// The bytes that were sent and not acknowledged: no call tells their number here.
#[derive(Debug, Clone, Copy)]
pub(in crate::transport) struct SendState {
    pub(in crate::transport) is_empty: bool,
    pub(in crate::transport) in_flight: u32,
    pub(in crate::transport) unanswered: u32,
    pub(in crate::transport) since_last_ack: Duration,
}

/// Whether [`send_state`] can tell.
pub(in crate::transport) const TELLS_SEND_STATE: bool = false;

pub(in crate::transport) fn send_state(_stream: &TcpStream) -> io::Result<SendState> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Retransmission is bounded by the system's own setting.
pub(in crate::transport) fn set_user_timeout(
    _stream: &TcpStream,
    _timeout: Option<Duration>,
) -> io::Result<()> {
    Ok(())
}

/// Nothing tells how far the peer's kernel has got.
pub(in crate::transport) fn is_acked(_stream: &TcpStream) -> io::Result<bool> {
    Ok(false)
}

/// Whether [`is_acked`] can ever be true.
pub(in crate::transport) const TELLS_ACKS: bool = false;

/// There are no files in memory here.
pub(in crate::transport) const SENDS_FILES: bool = false;

pub(in crate::transport) fn poll_send_file(
    _stream: &TcpStream,
    _cx: &mut Context<'_>,
    _file: &File,
    _offset: u64,
    _length: usize,
) -> Poll<io::Result<usize>> {
    Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
}

/// Listens on an address. An IPv6 address is never IPv4's as well: IPV6_V6ONLY is set here
/// where nobody says otherwise.
///
/// # Errors
/// The system does not let it.
pub(in crate::transport) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Accepts by the runtime's word, which may be older than the system's.
pub(in crate::transport) fn accept_now(listener: &TcpListener) -> io::Result<TcpStream> {
    let mut nobody = Context::from_waker(std::task::Waker::noop());
    match listener.poll_accept(&mut nobody) {
        Poll::Ready(accepted) => accepted.map(|(stream, _)| stream),
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

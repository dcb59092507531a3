//! A socket that does not block, as a connection of the load engine.

use std::io::{self, ErrorKind, Read, Write};
use std::task::{Context, Poll, Waker};

use crate::engine::connection::Connection;
use crate::net::Socket;

/// Returns the context of a poll that epoll asked for: it wakes nothing.
pub fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// A plain socket is read and written by read(2) and write(2), whatever its kind.
impl Connection for Socket {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let read = match self {
            Socket::Plain(file) => pending_if_not_ready(file.read(buffer)),
            Socket::Tls(tls) => tls.poll_read(buffer),
        };
        match read {
            // The server has closed it with bytes unread.
            Poll::Ready(Err(error)) if error.kind() == ErrorKind::ConnectionReset => {
                Poll::Ready(Ok(0))
            }
            read => read,
        }
    }

    fn poll_write(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Socket::Plain(file) => pending_if_not_ready(file.write(bytes)),
            Socket::Tls(tls) => tls.poll_write(bytes),
        }
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Socket::Plain(_) => Poll::Ready(Ok(())),
            Socket::Tls(tls) => tls.poll_flush(),
        }
    }
}

/// Returns whether a connection has taken bytes that it has not sent yet.
pub fn holds_back(socket: &Socket) -> bool {
    match socket {
        Socket::Plain(_) => false,
        Socket::Tls(tls) => tls.holds_back(),
    }
}

fn pending_if_not_ready(outcome: io::Result<usize>) -> Poll<io::Result<usize>> {
    match outcome {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Poll::Pending
        }
        outcome => Poll::Ready(outcome),
    }
}

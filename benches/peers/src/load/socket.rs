//! A socket that does not block, as a connection of the load engine.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::task::{Context, Poll, Waker};

use crate::engine::connection::Connection;

/// Returns the context of a poll that epoll asked for: it wakes nothing.
pub fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// A file is read and written by read(2) and write(2), whatever kind of socket it is.
impl Connection for File {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.read(buffer) {
            // The server has closed it with bytes unread.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Poll::Ready(Ok(0)),
            read => pending_if_not_ready(read),
        }
    }

    fn poll_write(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        pending_if_not_ready(self.write(bytes))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
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

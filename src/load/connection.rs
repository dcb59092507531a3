//! A connection that does not block.

use std::io;
use std::task::{Context, Poll};

/// The most bytes that one read takes, into the buffer that all connections of a thread
/// share. A unix socket holds less by default, so that one read takes all there is.
pub const BUFFER: usize = 256 * 1024;

/// A client's connection.
///
/// After `Pending` the connection wakes `cx` once the call can go on. A caller that
/// learns this in another way, as from epoll, passes a waker that does nothing.
pub trait Connection {
    /// Reads what is there into `buffer` and returns its length; 0 is the end.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes some of `bytes`, and returns how many.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Sends what the connection holds back, as one with TLS may.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

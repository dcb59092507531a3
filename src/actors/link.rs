//! What a session needs of a connection: the actors know no sockets.

use std::fs::File;
use std::io;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};

use crate::close::Evidence;

/// A connection's two directions, and what can be known of the sent bytes.
pub trait Link: AsyncRead + AsyncWrite + Unpin {
    /// How far the bytes that were written are known to have got:
    /// [`Evidence::Written`], [`Evidence::KernelAcked`] or [`Evidence::Read`].
    fn evidence(&self) -> Evidence;

    /// The best that [`Link::evidence`] can ever say of this kind of connection.
    fn best_evidence(&self) -> Evidence;

    /// Whether [`Link::poll_send_file`] may work.
    fn sends_files(&self) -> bool;

    /// Sends `length` bytes of a file that lives in memory, from `offset` on,
    /// without copying them: they must not change afterwards. How many went.
    ///
    /// # Errors
    /// The connection is broken; or this is not done here, with a kind of
    /// `InvalidInput` or `Unsupported`: then nothing was sent.
    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        file: &File,
        offset: u64,
        length: usize,
    ) -> Poll<io::Result<usize>>;
}

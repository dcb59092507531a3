//! What a session needs of a connection: the actors know no sockets.

use tokio::io::{AsyncRead, AsyncWrite};

use crate::close::Evidence;

/// A connection's two directions, and what can be known of the sent bytes.
pub trait Link: AsyncRead + AsyncWrite + Unpin {
    /// How far the bytes that were written are known to have got:
    /// [`Evidence::Written`], [`Evidence::KernelAcked`] or [`Evidence::Read`].
    fn evidence(&self) -> Evidence;

    /// The best that [`Link::evidence`] can ever say of this kind of connection.
    fn best_evidence(&self) -> Evidence;
}

//! The contract between sessions and transports: what a session needs of a connection, and
//! what an acceptor needs of a listener.
//!
//! A transport implements [`Link`] and [`Accept`]; the actors use them and know no sockets.
//! This module belongs to neither side, as [`framing`](crate::framing) does.
//!
//! Invariants that every implementation keeps:
//! - an error is classified by [`Link::failure_of`]; a transient error has been retried for
//!   as long as that may take before it is returned, and the link is `Pending` meanwhile;
//! - [`Link::evidence`] never claims more than is known: once an operation has failed it
//!   stays at [`Evidence::Written`] or below, and it never exceeds [`Link::best_evidence`].

mod accept;
mod evidence;
mod peer_id;

use std::fs::File;
use std::io;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use crate::framing::{Failure, Framing, Received};

pub use accept::{Accept, IncomingConnection};
pub use evidence::Evidence;
pub use peer_id::PeerId;

/// The identity of a client that the system tells only after the first read.
#[derive(Debug)]
pub struct LatePeer {
    /// The peer that the session's limits count.
    pub id: PeerId,
    /// Whether it is a local process of the server's own user.
    pub is_own_user: bool,
    /// The peer's description for logs and reports.
    pub name: String,
}

/// A connection's two directions, and what is known of the bytes that were sent.
///
/// A stream is written to through [`AsyncWrite`]. In message mode each message is sent by
/// [`Link::poll_send_message`]. Both modes receive through [`Link::poll_receive`].
pub trait Link: AsyncWrite + Unpin {
    /// Classifies an error that this link returned.
    fn failure_of(&self, error: &io::Error) -> Failure {
        Failure::of_kind(error.kind())
    }

    /// Returns whether the link carries a stream or messages. It never changes.
    fn framing(&self) -> Framing;

    /// Receives bytes of a stream, or a message or a part of one. A `SOCK_SEQPACKET` socket
    /// needs a `buf` that holds the whole message.
    ///
    /// # Errors
    /// The error is one that [`Link::failure_of`] classifies. A message that `buf` was too
    /// small for is a [`MessageTooLong`](crate::framing::MessageTooLong).
    fn poll_receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<Received>>;

    /// Returns `Pending` if it is known without a system call that there is nothing to receive;
    /// the task is woken when there is something. Returns `Ready` if only
    /// [`Link::poll_receive`] can tell.
    fn poll_receivable(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// Sends one whole message; in message mode only. Until it is ready, it must be called
    /// with the same message.
    ///
    /// # Errors
    /// The error is one that [`Link::failure_of`] classifies, or
    /// [`Unsupported`](io::ErrorKind::Unsupported) on a stream.
    fn poll_send_message(
        &mut self,
        _cx: &mut Context<'_>,
        _message: &[u8],
    ) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// Returns whether each direction can be closed on its own. If not, the client sees the
    /// end only when the connection is closed.
    fn half_closes(&self) -> bool;

    /// Returns, once the client has closed its side, whether nothing can reach it any more,
    /// as far as the system knows.
    fn is_hung_up(&self) -> bool;

    /// Returns whether the system holds input that has not been received yet, the peer's end
    /// included. The runtime may learn of it later. `false` where the system does not tell.
    fn has_input(&self) -> bool {
        false
    }

    /// Returns whether data can be exchanged yet: a TLS handshake comes first.
    fn is_open(&self) -> bool {
        true
    }

    /// Returns the client's identity where the system tells it only after the first read;
    /// `None` where it is known when the connection is accepted.
    fn late_peer(&self) -> Option<LatePeer> {
        None
    }

    /// Returns the common name of the client's verified certificate, once the link is open.
    fn vouched_name(&self) -> Option<String> {
        None
    }

    /// Returns how far the written bytes are known to have got: [`Evidence::Queued`] while
    /// the link itself still holds some of them, which flushing moves on, or
    /// [`Evidence::Written`], [`Evidence::KernelAcked`] or [`Evidence::Read`].
    fn evidence(&self) -> Evidence;

    /// Returns the highest level that [`Link::evidence`] can reach on this kind of connection.
    fn best_evidence(&self) -> Evidence;

    /// Returns whether [`Link::poll_send_file`] may work.
    fn sends_files(&self) -> bool {
        false
    }

    /// Sends up to `length` bytes of a file that lives in memory, from `offset` on, without
    /// copying them, and returns how many were sent. They must not change afterwards.
    ///
    /// # Errors
    /// The connection is broken; or the system cannot do this, with the kind `InvalidInput`
    /// or `Unsupported`, and nothing was sent.
    fn poll_send_file(
        &mut self,
        _cx: &mut Context<'_>,
        _file: &File,
        _offset: u64,
        _length: usize,
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

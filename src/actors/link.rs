//! What a session needs of a connection: the actors know no sockets.

use std::fs::File;
use std::io;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use crate::accounts::PeerId;
use crate::close::Evidence;
use crate::framing::{Failure, Framing, Received};

/// A client that is known only once something was read from it.
#[derive(Debug)]
pub struct LatePeer {
    /// The peer that the session's limits count.
    pub id: PeerId,
    /// Whether it is a local process of the server's own user.
    pub is_own_user: bool,
    /// In words.
    pub name: String,
}

/// A connection's two directions, and what can be known of the sent bytes.
///
/// A stream is written to as [`AsyncWrite`] has it, in message mode each message is
/// sent by [`Link::poll_send_message`]; receiving is the same for both.
///
/// A link retries what fails for a moment by itself, and is `Pending` meanwhile. An error
/// that it returns is of a class, see [`Link::failure_of`].
pub trait Link: AsyncWrite + Unpin {
    /// Classifies an error that this link returned. A transient one has been retried for as
    /// long as that may take.
    fn failure_of(&self, error: &io::Error) -> Failure {
        Failure::of_kind(error.kind())
    }

    /// Whether it keeps the boundaries of messages. It stays the same.
    fn framing(&self) -> Framing;

    /// Receives bytes, or a message or a part of one.
    ///
    /// # Errors
    /// Those that [`Link::failure_of`] classifies; or a message was cut off, as `buf` had no room for
    /// it, and that is a [`MessageTooLong`](crate::framing::MessageTooLong).
    fn poll_receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<Received>>;

    /// Sends one message, whole; message mode only.
    ///
    /// # Errors
    /// Those that [`Link::failure_of`] classifies; or the link is a stream.
    fn poll_send_message(
        &mut self,
        _cx: &mut Context<'_>,
        _message: &[u8],
    ) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// Whether either side can be closed on its own. Where it cannot, the client
    /// does not see the end before the connection is closed.
    fn half_closes(&self) -> bool;

    /// Once the client has closed its side: whether nothing reaches it any more.
    fn is_hung_up(&self) -> bool;

    /// Whether the system holds input that has not been received yet, the peer's end included.
    /// The runtime may learn of it later. `false` where the system does not tell.
    fn has_input(&self) -> bool {
        false
    }

    /// Whether the client can be told anything yet: a handshake may come first.
    fn is_open(&self) -> bool {
        true
    }

    /// Returns the client's identity, where the system tells it only after the first read.
    fn late_peer(&self) -> Option<LatePeer> {
        None
    }

    /// The name that somebody trusted vouches for, once the link is open.
    fn vouched_name(&self) -> Option<String> {
        None
    }

    /// How far the bytes that were written are known to have got: [`Evidence::Queued`]
    /// while the link itself still holds some, which flushing moves on,
    /// [`Evidence::Written`], [`Evidence::KernelAcked`] or [`Evidence::Read`]. Once an
    /// operation has failed it is never above [`Evidence::Written`].
    fn evidence(&self) -> Evidence;

    /// The best that [`Link::evidence`] can ever say of this kind of connection.
    fn best_evidence(&self) -> Evidence;

    /// Whether [`Link::poll_send_file`] may work.
    fn sends_files(&self) -> bool {
        false
    }

    /// Sends `length` bytes of a file that lives in memory, from `offset` on,
    /// without copying them: they must not change afterwards. How many went.
    ///
    /// # Errors
    /// The connection is broken; or this is not done here, with a kind of
    /// `InvalidInput` or `Unsupported`: then nothing was sent.
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

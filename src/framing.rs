//! Streams and messages, and the classes of I/O errors.
//!
//! A stream is bytes, and its reader must find the end of each frame. In message mode
//! (SOCK_SEQPACKET, a named pipe of message type) the system keeps each message whole. The
//! modules that know sockets and those that know frames share these types; they belong to
//! neither.

use std::io;

/// Whether a connection carries a stream or messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Bytes.
    Stream,
    /// Messages, each whole.
    Messages,
}

/// The outcome of one receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// This many bytes of a stream, or of a message that goes on. Never 0.
    Bytes(usize),
    /// This many bytes, which complete a message. A message may have 0.
    Message(usize),
    /// The peer has closed its side.
    End,
}

/// The class of an I/O error of a connection: the side that failed, and what follows from it.
///
/// docs/shutdown.md has the table of error codes under "Write errors and read errors".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The system lacks something for a moment: the operation is retried after a pause.
    Transient,
    /// The peer has closed or reset the connection, or cannot be reached any more.
    PeerGone,
    /// The transport cannot carry a message of this length; the connection goes on.
    MessageTooLong,
    /// This process or its system has failed; the peer has done nothing wrong.
    OwnSide,
}

impl Failure {
    /// Classifies an error that has no error code of the system.
    pub fn of_kind(kind: io::ErrorKind) -> Failure {
        match kind {
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::InvalidData // what the peer sent cannot be read
            | io::ErrorKind::NotConnected
            | io::ErrorKind::TimedOut
            | io::ErrorKind::UnexpectedEof => Failure::PeerGone,
            io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => Failure::Transient,
            _ => Failure::OwnSide,
        }
    }
}

/// The error of a message that was longer than the receiver's buffer. The system has discarded
/// its rest. It is the inner error of an [`std::io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message of {length} bytes is longer than what can be received here")]
pub struct MessageTooLong {
    /// The length of the whole message, in bytes.
    pub length: usize,
}

impl MessageTooLong {
    /// Returns this error if it is the cause of `error`.
    pub fn of(error: &io::Error) -> Option<MessageTooLong> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<MessageTooLong> for io::Error {
    fn from(error: MessageTooLong) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}

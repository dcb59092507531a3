//! Whether a connection keeps the boundaries of what is sent on it.
//!
//! A stream is bytes, and who reads it must find where a frame ends. In message
//! mode (SOCK_SEQPACKET, a named pipe of message type) the system keeps each message
//! whole. These types are what the rooms that know sockets and those that know
//! frames say about it to each other; they are of neither.

use std::io;

/// What a connection carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Bytes.
    Stream,
    /// Messages, each whole.
    Messages,
}

/// What one receive brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// So many bytes of a stream, or of a message that goes on. Never 0.
    Bytes(usize),
    /// So many bytes, which complete a message. A message may have 0.
    Message(usize),
    /// The peer has closed its side.
    End,
}

/// Whose failure an I/O error of a connection is, and what is to be done about it.
///
/// docs/shutdown.md has the table of error codes under "Write errors and read errors".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The system lacks something for a moment: the operation is tried again after a pause.
    Transient,
    /// The peer has closed or reset the connection, or cannot be reached any more.
    PeerGone,
    /// The transport cannot carry a message of this length; the connection goes on.
    MessageTooLong,
    /// This process or its system has failed; the peer has done nothing wrong.
    OwnSide,
}

impl Failure {
    /// Classifies an error that has no code of the system's.
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

/// A message that the receiver had no room for: the system has cut it off, and
/// what is left of it is of no use. It comes inside of an [`std::io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message of {length} bytes is longer than what can be received here")]
pub struct MessageTooLong {
    /// How long it was.
    pub length: usize,
}

impl MessageTooLong {
    /// Whether that is what went wrong.
    pub fn of(error: &io::Error) -> Option<MessageTooLong> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<MessageTooLong> for io::Error {
    fn from(error: MessageTooLong) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}

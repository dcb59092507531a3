//! What can go wrong with a client, and how a session ends.

use std::io;

use crate::transport::Endpoint;
use crate::wire::{ErrorCode, Seq};

/// What can go wrong.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody listens there, or may not be reached.
    #[error("cannot connect to {endpoint}: {problem}")]
    Connect {
        /// Where.
        endpoint: Endpoint,
        /// What kind of failure.
        kind: io::ErrorKind,
        /// What the system says.
        problem: String,
    },
    /// The server answered with an error.
    #[error("{message} ({code})")]
    Refused {
        /// What programs read.
        code: ErrorCode,
        /// What people read.
        message: String,
    },
    /// The server sent what the contract does not allow.
    #[error("the server does not speak the protocol: {0}")]
    Protocol(String),
    /// The session is over: it ended in order before this could be answered.
    #[error("the session is closed ({0})")]
    Closed(String),
    /// The connection broke: it ended without `closing`.
    #[error("the connection broke: {0}")]
    Lost(String),
}

impl ClientError {
    pub(super) fn no_closing() -> ClientError {
        ClientError::Lost("it ended without closing".to_owned())
    }

    /// The server's error code, where it was the server that refused.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            ClientError::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }
}

/// A session's end in order: the server's `closing`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// `fim`, `shutdown`, or an error's code.
    pub reason: String,
    /// The last broadcast sent before it.
    pub last_seq: Seq,
    /// Frames since the login that were answered in any way but with `stopping`.
    pub accepted: u64,
    /// Frames since the login that were answered with `stopping`.
    pub refused: u64,
}

//! What can go wrong with a client, and how a session ends.

use std::io;
use std::time::Duration;

use crate::transport::{ConnectFault, Endpoint, UnsafeFolder, UntrustedServer};
use crate::wire::quote::{LONGEST_TEXT, limited};
use crate::wire::{ErrorCode, ErrorFrame, Seq};

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
        /// The cause, from which a caller decides whether to try again.
        fault: ConnectFault,
        /// What the system says.
        problem: String,
    },
    /// The server on a local endpoint is nobody's who is trusted with a password.
    #[error(transparent)]
    Untrusted(#[from] UntrustedServer),
    /// The folder of a `pipe:` endpoint's socket is not this user's alone.
    #[error("cannot connect to {endpoint}: {problem}")]
    UnsafeFolder {
        /// Where.
        endpoint: Endpoint,
        /// The problem with the folder.
        problem: UnsafeFolder,
    },
    /// The server answered with an error.
    #[error("{message} ({code})")]
    Refused {
        /// What programs read.
        code: ErrorCode,
        /// What people read.
        message: String,
        /// How long to wait before the same is asked again, where the server says so: always
        /// with `throttled`.
        retry_after: Option<Duration>,
    },
    /// The server sent what the contract does not allow.
    #[error("the server does not speak the protocol: {0}")]
    Protocol(String),
    /// The session is over: it ended in order before this could be answered.
    #[error("the session is closed ({0})")]
    Closed(String),
    /// The TLS session is refused, behind its handshake: this client's certificate is missing
    /// or not taken.
    #[error("the connection broke: {0}")]
    TlsRefused(String),
    /// The connection broke: it ended without `closing`.
    #[error("the connection broke: {0}")]
    Lost(String),
}

impl ClientError {
    pub(super) fn no_closing() -> ClientError {
        ClientError::Lost("it ended without closing".to_owned())
    }

    /// An error that shows what a server sent, cut where it is long.
    pub(super) fn unexpected(what: &str, sent: &impl std::fmt::Debug) -> ClientError {
        ClientError::Protocol(limited(format_args!("{what} {sent:?}"), LONGEST_TEXT))
    }

    pub(super) fn refused(error: ErrorFrame<'_>) -> ClientError {
        ClientError::Refused {
            code: error.code,
            message: error.message.into_owned(),
            retry_after: error.retry_after.map(Duration::from_millis),
        }
    }

    /// How long to wait before the same is asked again, where the server says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            ClientError::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
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

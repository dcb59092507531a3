//! Errors of a client, and the end of a session.

use std::io;
use std::time::Duration;

use crate::transport::{ConnectFault, Endpoint, UnsafeFolder, UntrustedServer};
use crate::wire::quote::{LONGEST_TEXT, limited};
use crate::wire::{CloseReason, Closing, ErrorCode, ErrorFrame, Feature, Named, Seq};

/// An error of a client.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody listens there, or may not be reached.
    #[error("cannot connect to {endpoint}: {problem}")]
    Connect {
        /// Where.
        endpoint: Endpoint,
        /// The kind of failure.
        kind: io::ErrorKind,
        /// The cause, from which a caller decides whether to try again.
        fault: ConnectFault,
        /// The system's error.
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
        /// The code, for programs.
        code: ErrorCode,
        /// The message, for people.
        message: String,
        /// How long to wait before the same is asked again, where the server says so: always
        /// with `throttled`.
        retry_after: Option<Duration>,
    },
    /// The server sent what the contract does not allow.
    #[error("the server does not speak the protocol: {0}")]
    Protocol(String),
    /// The session ended in order before this was answered. Frames without an answer were not
    /// accepted, and may be sent again on another session.
    #[error("the session is closed ({0})")]
    Closed(Named<CloseReason>),
    /// The TLS session is refused, behind its handshake: this client's certificate is missing
    /// or not taken.
    #[error("the connection broke: {0}")]
    TlsRefused(String),
    /// The server does not have a feature of the protocol.
    #[error("the server does not have the feature {feature}")]
    NotServed {
        /// The feature.
        feature: Feature,
    },
    /// This client offers the service already, or its earlier offer is not withdrawn yet.
    #[error("this client offers the service {service} already")]
    AlreadyOffered {
        /// The service's name.
        service: String,
    },
    /// A message of a [`Producer`](crate::Producer) was not published, because one before it was
    /// refused.
    #[error("message {n} of the producer was refused: {reason}")]
    ProducerStopped {
        /// The number of the message that was refused.
        n: u64,
        /// Why it was refused.
        reason: Box<ClientError>,
    },
    /// The connection broke: the session ended without `closing`. Frames without an answer
    /// may have been accepted or not.
    #[error("the connection broke: {0}")]
    Lost(#[from] Break),
}

/// The way that a connection broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Break {
    /// The server's side ended before its `welcome`.
    #[error("it ended without a welcome: is it another program's?")]
    NoWelcome,
    /// The same on a `tcp:` endpoint, which may be one of TLS.
    #[error("it ended without a welcome: is it a tls: endpoint, or another program's?")]
    NoWelcomeOnTcp,
    /// The server's side ended without `closing`.
    #[error("it ended without closing")]
    NoClosing,
    /// The server's side ended within a frame.
    #[error("it ended within a frame")]
    WithinFrame,
    /// The server was silent for longer than the server timeout.
    #[error("the server answers no ping")]
    Silent,
    /// Nothing was answered in the time that an attempt to log in has.
    #[error("the login was not answered in {} s", .0.as_secs())]
    LoginTimedOut(Duration),
    /// A read or a write failed.
    #[error("{message}")]
    Io {
        /// The error's kind.
        kind: io::ErrorKind,
        /// The system's words.
        message: String,
    },
}

impl Break {
    #[expect(clippy::needless_pass_by_value, reason = "for map_err")]
    pub(super) fn of(error: io::Error) -> Break {
        Break::Io {
            kind: error.kind(),
            message: error.to_string(),
        }
    }
}

impl ClientError {
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
#[non_exhaustive]
pub struct End {
    /// The reason that the server gives.
    pub reason: Named<CloseReason>,
    /// The last broadcast sent before it.
    pub last_seq: Seq,
    /// Frames since the login that were answered in any way but with `stopping`.
    pub accepted: u64,
    /// Frames since the login that were answered with `stopping`.
    pub refused: u64,
}

impl End {
    pub(super) fn of(closing: Closing) -> End {
        End {
            reason: closing.reason.shortened(),
            last_seq: closing.last_seq,
            accepted: closing.accepted,
            refused: closing.refused,
        }
    }
}

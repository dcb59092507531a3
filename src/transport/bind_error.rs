//! Why an endpoint cannot be listened on.

use std::io;
use std::net::SocketAddr;

use super::Endpoint;

/// Why an endpoint cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another program listens there.
    #[error("{0} is taken by another program that is running: stop it, or choose another --listen")]
    InUse(Endpoint),
    /// This server listens there already.
    #[error("{endpoint} is taken by this server's own {other}: leave one of the two out")]
    Own {
        /// The endpoint that was asked for.
        endpoint: Endpoint,
        /// The endpoint that is listened on already.
        other: Endpoint,
    },
    /// A file that is not a socket is at the path.
    #[error(
        "{0} is taken by a file that is not a socket: move it away, or choose another --listen"
    )]
    NotASocket(Endpoint),
    /// Plain TCP on an address that other hosts can reach.
    #[error(
        "{0} is not loopback ({1}): plain tcp is for this machine only; for other hosts use tls:"
    )]
    NotLoopback(Endpoint, SocketAddr),
    /// A group's access to a name that has no file.
    #[error("{0} has no file that access=group could be set on: use unix:PATH")]
    NoFile(Endpoint),
    /// An option of Windows pipes on another endpoint, or a pipe of another host.
    #[error("{0} cannot be listened on: {1}")]
    NotHere(Endpoint, &'static str),
    /// A socket that was passed cannot be listened on.
    #[error("{endpoint} cannot be listened on: {problem}")]
    Passed {
        /// The endpoint that names it, `systemd:NAME`.
        endpoint: Endpoint,
        /// The problem, and what to do.
        problem: &'static str,
    },
    /// The system refuses.
    #[error("{endpoint} cannot be listened on: {source}")]
    Io {
        /// The endpoint.
        endpoint: Endpoint,
        /// The system's error.
        source: io::Error,
    },
}

impl BindError {
    /// Returns whether another configuration is needed, rather than another attempt.
    pub fn is_of_the_configuration(&self) -> bool {
        match self {
            BindError::Own { .. } | BindError::Passed { .. } => true,
            BindError::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidFilename
            ),
            _ => false,
        }
    }

    pub(super) fn io(endpoint: &Endpoint, source: io::Error) -> BindError {
        BindError::Io {
            endpoint: endpoint.clone(),
            source,
        }
    }
}

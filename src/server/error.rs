//! Why a server does not start.

use std::io;

use super::listen::OptionError;
use crate::store::{FolderError, StoreError};
use crate::transport::{BindError, Endpoint, TlsError};

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The server cannot listen on an endpoint.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The accounts cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The system refuses a resource that every server needs.
    #[error("the system did not provide the {what}: {source}")]
    System {
        /// A thread, a runtime, randomness.
        what: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The server was told to stop before it had started.
    #[error("the start was abandoned because a stop was requested")]
    Abandoned,
    /// The thread that opens the data folder panicked.
    #[error("a part of the server panicked during the start; see the log")]
    Panicked,
}

/// A problem with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The value of a limit is out of its range.
    #[error("{name} must be {range}, not {value}")]
    OutOfRange {
        /// The limit's name: its flag and its key in the config file.
        name: &'static str,
        /// The values that are allowed.
        range: String,
        /// The value that was given.
        value: String,
    },
    /// There is no endpoint.
    #[error("there is no endpoint to listen on: add one with --listen")]
    NoEndpoint,
    /// The options of an endpoint do not go together, or not with the configuration.
    #[error("endpoint {endpoint}: {problem}")]
    Endpoint {
        /// The endpoint.
        endpoint: Endpoint,
        /// The problem with its options.
        problem: OptionError,
    },
    /// An endpoint `systemd:NAME`, and no socket of that name was passed.
    #[error(
        "{endpoint}: no socket of that name was passed to the server ({passed}); start it by a \
         socket unit with that FileDescriptorName=, or choose another --listen"
    )]
    NoSocket {
        /// The endpoint.
        endpoint: Endpoint,
        /// The names of the sockets that were passed, for people.
        passed: String,
    },
    /// Sockets were passed that no endpoint names.
    #[error(
        "no endpoint takes the passed sockets {names}: add --listen systemd:NAME for each name, or \
         remove their unit"
    )]
    UnusedSockets {
        /// The names of the sockets.
        names: String,
    },
    /// A journal needs a data folder.
    #[error("a journal needs a data folder: pass a folder with --data, or remove --journal")]
    JournalWithoutData,
    /// The log in memory is too small for the longest frame.
    #[error("log-bytes must be at least {least} for frames as long as max-frame")]
    LogTooSmall {
        /// The smallest size, in bytes.
        least: usize,
    },
    /// argon2 does not work at this cost.
    #[error("argon2's cost: {0}")]
    HashCost(String),
}

impl ServerError {
    /// Makes the error of a system that does not give `what`.
    pub(super) fn no(what: &'static str) -> impl Fn(io::Error) -> ServerError {
        move |source| ServerError::System { what, source }
    }
}

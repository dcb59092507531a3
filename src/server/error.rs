//! Why a server does not start.

use std::io;

use crate::store::{FolderError, StoreError};
use crate::transport::{BindError, TlsError};

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// An endpoint cannot be listened on.
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
    /// The configuration cannot be.
    #[error("{0}")]
    Config(String),
    /// The system does not give what every server needs.
    #[error("the system gives the server no {what}: {source}")]
    System {
        /// A thread, a runtime, randomness.
        what: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The server was told to stop before it had started.
    #[error("the start was abandoned, as the server was told to stop")]
    Abandoned,
    /// The thread that opens the data folder panicked.
    #[error("a part of the server panicked while it started; its log says more")]
    Panicked,
}

impl ServerError {
    /// That the system does not give this.
    pub(super) fn no(what: &'static str) -> impl Fn(io::Error) -> ServerError {
        move |source| ServerError::System { what, source }
    }
}

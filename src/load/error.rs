//! Why a client of the load cannot go on.

use std::io;

/// A client that has failed; the run has then failed too.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection broke while it was read.
    #[error("reading: {0}")]
    Read(#[source] io::Error),
    /// The connection broke while it was written to.
    #[error("writing: {0}")]
    Write(#[source] io::Error),
    /// The server sent what it must not send.
    #[error("{0}")]
    Protocol(String),
}

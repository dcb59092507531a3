//! Errors of certificates and keys that cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use crate::framing::Failure;

/// The reason why certificates or keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file is missing, or its contents are not what is expected.
    #[error("{what} {}: {problem}", path.display())]
    File {
        /// The expected contents.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The problem with it.
        problem: String,
    },
    /// Users other than its owner may read the key.
    #[error("the key {}: others may read it: chmod 600 {}", .0.display(), .0.display())]
    Exposed(PathBuf),
    /// The key is not the certificate's.
    #[error(
        "the key {} is not that of the certificate {}: give the two that were made together, or \
         make others with `arauto tls init`",
        key.display(),
        certificate.display()
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The system has no trusted roots, or they cannot be loaded.
    #[error("this system's trusted roots cannot be used ({0}): give --tls-fingerprint or --tls-ca")]
    NoRoots(String),
    /// TLS itself rejects the configuration.
    #[error("tls cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

impl TlsError {
    pub(super) fn file(what: &'static str, path: &Path, problem: impl ToString) -> TlsError {
        TlsError::File {
            what,
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }

    /// Returns the error of a file that cannot be read, and what to do about it.
    pub(super) fn unread(what: &'static str, path: &Path, error: &io::Error) -> TlsError {
        match error.kind() {
            io::ErrorKind::NotFound => {
                let way =
                    "there is no such file: `arauto tls init` makes a certificate and its key";
                TlsError::file(what, path, way)
            }
            io::ErrorKind::PermissionDenied => {
                let way = format!("{error}: run as its owner, or let this user read it");
                TlsError::file(what, path, way)
            }
            io::ErrorKind::IsADirectory => {
                TlsError::file(what, path, "it is a folder: give the file in it")
            }
            _ => TlsError::file(what, path, error),
        }
    }
}

/// Classifies an error of rustls. Most errors are about what the peer has sent.
pub(in crate::transport) fn failure_of(error: &rustls::Error) -> Failure {
    match error {
        rustls::Error::EncryptError
        | rustls::Error::FailedToGetCurrentTime
        | rustls::Error::FailedToGetRandomBytes
        | rustls::Error::General(_)
        | rustls::Error::HandshakeNotComplete => Failure::OwnSide,
        _ => Failure::PeerGone,
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}

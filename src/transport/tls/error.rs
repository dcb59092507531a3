//! Why certificates and keys cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use crate::framing::Failure;

/// Why certificates and keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file is not there, or is not what it is taken for.
    #[error("{what} {}: {problem}", path.display())]
    File {
        /// What it is taken for.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Others than its owner may read the key.
    #[error("the key {}: others may read it: chmod 600 {}", .0.display(), .0.display())]
    Exposed(PathBuf),
    /// A certificate, and another one's key.
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
    /// The system trusts nobody, or does not say whom.
    #[error("this system's trusted roots cannot be used ({0}): give --tls-fingerprint or --tls-ca")]
    NoRoots(String),
    /// What TLS itself does not take.
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

    /// A file that cannot be read; where it is missing, how to come by one.
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

/// Classifies what rustls says of a connection. Most errors tell of what the peer sent.
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

//! The servers that a client trusts.

use std::path::Path;

use super::tls::TlsTrust;
use super::{Fingerprint, LocalUser, TlsError, system};

/// The servers that a client trusts, and the client's own certificate.
///
/// On a local endpoint (a socket or a pipe) a password goes to servers of this process's own
/// user, of root (SYSTEM and the group Administrators on Windows) and of
/// [`Trust::with_server_user`]; on unix also to the one whose path nobody else could have put
/// there. On a `tls:` endpoint the certificate
/// decides: the default is the system's trusted roots, and no certificate of one's own.
/// On `tcp:` nothing tells who listens.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    tls: TlsTrust,
    server_user: Option<LocalUser>,
}

/// There is no such user of this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server's user {name:?} is unknown: {problem}")]
pub struct UnknownServerUser {
    name: String,
    problem: String,
}

impl Trust {
    /// Trust in what the system's roots vouch for.
    pub fn system() -> Trust {
        Trust::of(TlsTrust::system())
    }

    /// Trust in one certificate, whatever its name and dates.
    pub fn pinned(fingerprint: Fingerprint) -> Trust {
        Trust::of(TlsTrust::pinned(fingerprint))
    }

    /// Trust in what the certificates in this PEM file vouch for, themselves included.
    ///
    /// # Errors
    /// The file cannot be read, or has no certificate.
    pub fn authorities(path: &Path) -> Result<Trust, TlsError> {
        TlsTrust::authorities(path).map(Trust::of)
    }

    /// The same trust, and a certificate of one's own, from PEM files.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn with_certificate(self, certificate: &Path, key: &Path) -> Result<Trust, TlsError> {
        let tls = self.tls.with_certificate(certificate, key)?;
        Ok(Trust { tls, ..self })
    }

    /// The same trust, and one more user whose servers are given a password on local
    /// endpoints: a name or a number (a SID on Windows).
    ///
    /// # Errors
    /// The system knows no such user.
    pub fn with_server_user(self, name: &str) -> Result<Trust, UnknownServerUser> {
        let user = system::find_user(name).map_err(|problem| UnknownServerUser {
            name: name.to_owned(),
            problem,
        })?;
        Ok(Trust {
            server_user: Some(user),
            ..self
        })
    }

    fn of(tls: TlsTrust) -> Trust {
        Trust {
            tls,
            server_user: None,
        }
    }

    pub(super) fn tls(&self) -> &TlsTrust {
        &self.tls
    }

    pub(super) fn server_user(&self) -> Option<&LocalUser> {
        self.server_user.as_ref()
    }
}

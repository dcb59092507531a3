//! The servers that a client trusts.

use std::path::Path;

use super::tls::TlsTrust;
use super::{Fingerprint, LocalUser, TlsError, system};

/// The servers that a client trusts, and the client's own certificate.
///
/// On a local endpoint (a socket or a pipe) a password goes to servers of this process's own
/// user, of root (on Windows: SYSTEM, the group Administrators and the service `arauto`) and of
/// [`Trust::with_server_user`]; on unix also to a server at a path that no third user could have
/// created. On a `tls:` endpoint the certificate decides: the default is the system's trusted
/// roots, and no certificate of the client's own. On `tcp:` nothing proves the server's
/// identity.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    tls: TlsTrust,
    server_user: Option<LocalUser>,
}

/// The error of a name that is no user of this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server's user {name:?} is unknown: {problem}")]
pub struct UnknownServerUser {
    name: String,
    problem: String,
}

impl Trust {
    /// Trusts certificates that the system's roots vouch for.
    pub fn system() -> Trust {
        Trust::of(TlsTrust::system())
    }

    /// Trusts one certificate, whatever its name and dates.
    pub fn pinned(fingerprint: Fingerprint) -> Trust {
        Trust::of(TlsTrust::pinned(fingerprint))
    }

    /// Trusts the certificates in this PEM file, and those that they vouch for.
    ///
    /// # Errors
    /// The file cannot be read, or has no certificate.
    pub fn authorities(path: &Path) -> Result<Trust, TlsError> {
        TlsTrust::authorities(path).map(Trust::of)
    }

    /// Adds the client's own certificate, from PEM files.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn with_certificate(self, certificate: &Path, key: &Path) -> Result<Trust, TlsError> {
        let tls = self.tls.with_certificate(certificate, key)?;
        Ok(Trust { tls, ..self })
    }

    /// Adds a user whose servers are given a password on local endpoints: a name, or a number (a
    /// SID on Windows).
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

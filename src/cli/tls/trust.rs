//! By which flags a client knows its server, and is known.
//! The flags of local endpoints are here too: who is trusted is one setting.

use std::path::PathBuf;

use arauto::{Fingerprint, Trust};

use super::unusable;
use crate::cli::exit::{Failure, sysexits};

#[derive(clap::Args, Clone, Default)]
pub(in crate::cli) struct TrustArgs {
    /// On a tls: endpoint trust the server with this certificate, and no other: its
    /// SHA-256, as `arauto tls fingerprint` prints it there.
    #[arg(long, value_name = "SHA256", conflicts_with = "tls_ca")]
    tls_fingerprint: Option<Fingerprint>,

    /// On a tls: endpoint trust whom the certificates in this PEM file vouch for [default:
    /// whom the system trusts].
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,

    /// On a tls: endpoint show this certificate, a PEM file: its common name is the user.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// On a local endpoint give the password to a server of this user too, by name or
    /// number [default: only to servers of your own user and of root, and to one whose path
    /// nobody else could have put there].
    #[arg(long, value_name = "NAME", env = "ARAUTO_SERVER_USER")]
    server_user: Option<String>,

    /// The key of --tls-cert.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl TrustArgs {
    pub(in crate::cli) fn trust(&self) -> Result<Trust, Failure> {
        let trust = match (&self.tls_fingerprint, &self.tls_ca) {
            (Some(fingerprint), _) => Ok(Trust::pinned(*fingerprint)),
            (None, Some(path)) => Trust::authorities(path),
            (None, None) => Ok(Trust::system()),
        };
        let trust = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                trust.and_then(|trust| trust.with_certificate(certificate, key))
            }
            _ => trust,
        };
        let trust = trust.map_err(|error| unusable(&error))?;
        match &self.server_user {
            None => Ok(trust),
            Some(name) => trust
                .with_server_user(name)
                .map_err(|error| Failure::new(sysexits::USAGE, error.to_string())),
        }
    }
}

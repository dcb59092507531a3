//! The flags that say which servers a client trusts, and which certificate it presents.
//!
//! Those for local endpoints are here too: both make one [`Trust`].

use std::path::PathBuf;

use arauto::{Fingerprint, Trust};

use super::default_pair::unusable;
use crate::cli::exit::{Failure, sysexits};

#[derive(clap::Args, Clone, Default)]
pub(in crate::cli) struct TrustArgs {
    /// For tls: endpoints: trust only the server whose certificate has this SHA-256
    /// fingerprint, as printed by `arauto tls fingerprint` on the server's machine.
    #[arg(long, value_name = "SHA256", conflicts_with = "tls_ca")]
    tls_fingerprint: Option<Fingerprint>,

    /// For tls: endpoints: trust the certificate authorities in this PEM file [default: those
    /// that the system trusts].
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,

    /// For tls: endpoints: present this certificate, a PEM file; its common name is the user.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// For local endpoints: send the password also to a server that runs as this OS user, a name
    /// or number [default: only to servers that run as you or root, and to one at a path that no
    /// other user could have created].
    #[arg(long, value_name = "NAME", env = "ARAUTO_SERVER_USER")]
    server_user: Option<String>,

    /// The key of --tls-cert, a PEM file.
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

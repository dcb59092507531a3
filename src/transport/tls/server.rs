//! A server's certificate, and what it asks of clients.
//!
//! Every handshake uses the credentials that are current when it begins. A reload that fails
//! changes nothing.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::RwLock;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{RootCertStore, ServerConfig};

use super::identity::{Identity, authorities};
use super::provider::{VERSIONS, provider};
use super::{Fingerprint, TlsError};
use crate::parse_error::ParseError;
use crate::transport::connection_timeouts::ConnectionTimeouts;

/// The files that a server's `tls:` endpoints use.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TlsConfig {
    /// A PEM file: the certificate, followed by those that lead to a root.
    pub certificate: PathBuf,
    /// A PEM file: the certificate's private key. Only its owner may read the file.
    pub key: PathBuf,
    /// A PEM file: the authorities that vouch for clients' certificates. With `None` clients are
    /// not asked for one.
    pub client_ca: Option<PathBuf>,
}

impl TlsConfig {
    /// Returns a configuration that asks clients for no certificate.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> TlsConfig {
        TlsConfig {
            certificate: certificate.into(),
            key: key.into(),
            client_ca: None,
        }
    }

    /// Loads the files and forgets them. It blocks.
    ///
    /// # Errors
    /// See [`TlsError`]: what a server would not start with.
    pub fn inspect(&self) -> Result<CertificateInfo, TlsError> {
        let loaded = LoadedCredentials::load(self)?;
        let (valid_from, valid_until) = loaded.valid;
        Ok(CertificateInfo {
            fingerprint: loaded.fingerprint,
            valid_from,
            valid_until,
        })
    }
}

/// The fingerprint of a certificate, and when it is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateInfo {
    /// The fingerprint, as clients pin it.
    pub fingerprint: Fingerprint,
    /// When it begins to be valid.
    pub valid_from: SystemTime,
    /// When it expires.
    pub valid_until: SystemTime,
}

/// Whether clients that are asked for a certificate must show one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientCert {
    /// They may show one.
    #[default]
    Optional,
    /// A client without one is refused.
    Required,
}

impl FromStr for ClientCert {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "optional" => Ok(ClientCert::Optional),
            "required" => Ok(ClientCert::Required),
            _ => Err(ParseError::new("client-cert", text, "optional or required")),
        }
    }
}

/// A server's certificate and key, and the authorities that it trusts, as last loaded.
#[derive(Debug)]
pub struct Credentials {
    current: RwLock<LoadedCredentials>,
}

/// Credentials that are loaded, and that no handshake uses yet.
#[derive(Debug)]
pub struct NewCredentials(LoadedCredentials);

#[derive(Debug)]
struct LoadedCredentials {
    files: TlsConfig,
    optional: Arc<ServerConfig>,
    required: Arc<ServerConfig>,
    fingerprint: Fingerprint,
    valid: (SystemTime, SystemTime),
}

impl Credentials {
    /// Returns when the certificate expires.
    pub fn valid_until(&self) -> SystemTime {
        self.current.read().valid.1
    }

    /// Loads the files.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn load(files: TlsConfig) -> Result<Credentials, TlsError> {
        let current = RwLock::new(LoadedCredentials::load(&files)?);
        Ok(Credentials { current })
    }

    /// Loads files for [`Credentials::install`].
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn prepare(files: &TlsConfig) -> Result<NewCredentials, TlsError> {
        LoadedCredentials::load(files).map(NewCredentials)
    }

    /// Uses other credentials for later handshakes. Returns the certificate's fingerprint.
    pub fn install(&self, new: NewCredentials) -> Fingerprint {
        let NewCredentials(loaded) = new;
        let fingerprint = loaded.fingerprint;
        *self.current.write() = loaded;
        fingerprint
    }

    /// Loads the files again, for later handshakes. Returns the certificate's fingerprint.
    ///
    /// # Errors
    /// See [`TlsError`]; the credentials stay as they were.
    pub fn reload(&self) -> Result<Fingerprint, TlsError> {
        let files = self.current.read().files.clone();
        Ok(self.install(Credentials::prepare(&files)?))
    }

    /// Returns the certificate's fingerprint.
    pub fn fingerprint(&self) -> Fingerprint {
        self.current.read().fingerprint
    }
}

impl LoadedCredentials {
    fn load(files: &TlsConfig) -> Result<LoadedCredentials, TlsError> {
        let identity = Identity::load(&files.certificate, &files.key)?;
        for problem in &identity.doubts {
            let certificate = files.certificate.display();
            tracing::warn!(%certificate, problem, "clients that do not pin it refuse this certificate");
        }
        let path = files.client_ca.as_deref();
        let roots = path.map(|path| authorities("the clients' authority", path));
        let roots = roots.transpose()?;
        let config = |client_cert| config(&identity, roots.clone(), client_cert);
        Ok(LoadedCredentials {
            files: files.clone(),
            optional: Arc::new(config(ClientCert::Optional)?),
            required: Arc::new(config(ClientCert::Required)?),
            fingerprint: identity.fingerprint,
            valid: identity.valid,
        })
    }
}

fn config(
    identity: &Identity,
    roots: Option<Arc<RootCertStore>>,
    client_cert: ClientCert,
) -> Result<ServerConfig, TlsError> {
    let config =
        ServerConfig::builder_with_provider(provider()).with_protocol_versions(VERSIONS)?;
    let config = match roots {
        None => config.with_no_client_auth(),
        Some(roots) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
            let verifier = match client_cert {
                ClientCert::Optional => verifier.allow_unauthenticated(),
                ClientCert::Required => verifier,
            };
            let verifier = verifier
                .build()
                .map_err(|error| TlsError::Setup(rustls::Error::General(error.to_string())))?;
            config.with_client_cert_verifier(verifier)
        }
    };
    let resolver = SingleCertAndKey::from(Arc::clone(&identity.key));
    let mut config = config.with_cert_resolver(Arc::new(resolver));
    // No resumption: a resumed TLS session would be trusted by the credentials of before a
    // reload.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// The configuration of one listener's handshakes.
#[derive(Debug, Clone)]
pub struct HandshakeConfig {
    /// The credentials that all listeners of the server share.
    pub credentials: Arc<Credentials>,
    /// Whether clients of this listener must show a certificate.
    pub client_cert: ClientCert,
    /// The longest time from a connect to the end of its handshake is one of these.
    pub timeouts: ConnectionTimeouts,
}

impl HandshakeConfig {
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        let current = self.credentials.current.read();
        Arc::clone(match self.client_cert {
            ClientCert::Optional => &current.optional,
            ClientCert::Required => &current.required,
        })
    }
}

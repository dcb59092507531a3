//! What a server shows its clients and asks of them.
//!
//! Every handshake takes what is live when it begins; a reload that fails changes nothing.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{RootCertStore, ServerConfig};

use super::identity::{Identity, authorities};
use super::provider::{VERSIONS, provider};
use super::{Fingerprint, TlsError};

/// What a server's `tls:` endpoints are made with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TlsConfig {
    /// A PEM file: the certificate, and behind it those that lead to a root.
    pub certificate: PathBuf,
    /// A PEM file: the certificate's private key, which nobody else may read.
    pub key: PathBuf,
    /// A PEM file: who vouches for clients' certificates. `None`: no client is asked
    /// for one.
    pub client_ca: Option<PathBuf>,
}

impl TlsConfig {
    /// With every other setting at its default.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> TlsConfig {
        TlsConfig {
            certificate: certificate.into(),
            key: key.into(),
            client_ca: None,
        }
    }
}

/// Whether clients must show a certificate, where one is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientCert {
    /// They may.
    #[default]
    Optional,
    /// Who has none is refused.
    Required,
}

impl FromStr for ClientCert {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "optional" => Ok(ClientCert::Optional),
            "required" => Ok(ClientCert::Required),
            _ => Err(format!(
                "no client-cert {text:?}: it is optional or required"
            )),
        }
    }
}

/// A server's certificate and key, and whom it trusts, as they are now.
#[derive(Debug)]
pub struct Credentials {
    files: TlsConfig,
    live: RwLock<Live>,
}

#[derive(Debug)]
struct Live {
    optional: Arc<ServerConfig>,
    required: Arc<ServerConfig>,
    fingerprint: Fingerprint,
}

impl Credentials {
    /// Loads them.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn load(files: TlsConfig) -> Result<Credentials, TlsError> {
        let live = RwLock::new(Live::load(&files)?);
        Ok(Credentials { files, live })
    }

    /// Loads them again, for handshakes from now on.
    ///
    /// # Errors
    /// See [`TlsError`]. Then the old ones stay.
    pub fn reload(&self) -> Result<Fingerprint, TlsError> {
        let live = Live::load(&self.files)?;
        let fingerprint = live.fingerprint;
        *self.live.write() = live;
        Ok(fingerprint)
    }

    /// The certificate's fingerprint.
    pub fn fingerprint(&self) -> Fingerprint {
        self.live.read().fingerprint
    }
}

impl Live {
    fn load(files: &TlsConfig) -> Result<Live, TlsError> {
        let identity = Identity::load(&files.certificate, &files.key)?;
        for problem in &identity.doubts {
            let certificate = files.certificate.display();
            tracing::warn!(%certificate, problem, "clients that do not pin it refuse this certificate");
        }
        let path = files.client_ca.as_deref();
        let roots = path.map(|path| authorities("the clients' authority", path));
        let roots = roots.transpose()?;
        let config = |client_cert| config(&identity, roots.clone(), client_cert);
        Ok(Live {
            optional: Arc::new(config(ClientCert::Optional)?),
            required: Arc::new(config(ClientCert::Required)?),
            fingerprint: identity.fingerprint,
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
    // Sessions last; a resumed one would be trusted by what was live before a reload.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// What one listener's handshakes are made with.
#[derive(Debug, Clone)]
pub struct HandshakeConfig {
    /// The server's.
    pub credentials: Arc<Credentials>,
    /// Of this listener's clients.
    pub client_cert: ClientCert,
    /// The longest time from a connect to the end of its handshake.
    pub handshake_timeout: Duration,
}

impl HandshakeConfig {
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        let live = self.credentials.live.read();
        Arc::clone(match self.client_cert {
            ClientCert::Optional => &live.optional,
            ClientCert::Required => &live.required,
        })
    }
}

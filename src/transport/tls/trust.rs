//! The servers that a client trusts, and the client's own certificate.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};

use super::identity::{Identity, authorities};
use super::pinned::Pinned;
use super::provider::{VERSIONS, provider};
use super::{Fingerprint, TlsError};

/// The servers that a client trusts on `tls:` endpoints, and the certificate that it shows there
/// itself. The default is the system's trusted roots, and no certificate.
#[derive(Debug, Clone, Default)]
pub(in crate::transport) struct TlsTrust {
    servers: TrustedServers,
    own: Option<Arc<CertifiedKey>>,
}

#[derive(Debug, Clone, Default)]
enum TrustedServers {
    /// Those with a certificate for the endpoint's name from a root that the system trusts.
    #[default]
    System,
    /// Those with a certificate for the endpoint's name from one of these roots.
    Authorities(Arc<RootCertStore>),
    /// Those with this certificate.
    Pinned(Fingerprint),
}

impl TlsTrust {
    /// Trusts certificates that the system's roots vouch for.
    pub(in crate::transport) fn system() -> TlsTrust {
        TlsTrust::default()
    }

    /// Trusts one certificate, whatever its name and dates.
    pub(in crate::transport) fn pinned(fingerprint: Fingerprint) -> TlsTrust {
        TlsTrust {
            servers: TrustedServers::Pinned(fingerprint),
            own: None,
        }
    }

    /// Trusts the certificates in this PEM file, and those that they vouch for.
    ///
    /// # Errors
    /// The file cannot be read, or has no certificate.
    pub(in crate::transport) fn authorities(path: &Path) -> Result<TlsTrust, TlsError> {
        let roots = authorities("the trusted certificate", path)?;
        Ok(TlsTrust {
            servers: TrustedServers::Authorities(roots),
            own: None,
        })
    }

    /// Adds the client's own certificate, from PEM files.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub(in crate::transport) fn with_certificate(
        self,
        certificate: &Path,
        key: &Path,
    ) -> Result<TlsTrust, TlsError> {
        let identity = Identity::load(certificate, key)?;
        Ok(TlsTrust {
            own: Some(identity.key),
            ..self
        })
    }

    pub(super) fn client_config(&self) -> Result<ClientConfig, TlsError> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)?
            .dangerous() // the verifier is the project's own where a certificate is pinned
            .with_custom_certificate_verifier(self.verifier()?);
        let mut config = match &self.own {
            None => config.with_no_client_auth(),
            Some(key) => {
                let resolver = SingleCertAndKey::from(Arc::clone(key));
                config.with_client_cert_resolver(Arc::new(resolver))
            }
        };
        config.resumption = Resumption::disabled(); // the server resumes no TLS sessions
        Ok(config)
    }

    fn verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        let roots = match &self.servers {
            TrustedServers::Pinned(expected) => {
                return Ok(Arc::new(Pinned {
                    expected: *expected,
                    provider: provider(),
                }));
            }
            TrustedServers::Authorities(roots) => Arc::clone(roots),
            TrustedServers::System => system_roots()?,
        };
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider()).build();
        Ok(verifier.map_err(|error| TlsError::NoRoots(error.to_string()))?)
    }
}

fn system_roots() -> Result<Arc<RootCertStore>, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let problem = found.errors.first().map(ToString::to_string);
        let problem = problem.unwrap_or_else(|| "there are none".to_owned());
        return Err(TlsError::NoRoots(problem));
    }
    Ok(Arc::new(roots))
}

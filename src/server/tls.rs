//! The certificate of a server, for its `tls:` listeners.

use std::sync::Arc;

use super::config::{Config, Timeouts};
use super::error::{ConfigError, ServerError};
use super::listen::{Listen, OptionError};
use crate::transport::{Credentials, Endpoint, HandshakeConfig};

/// The loaded certificate; none if no listener needs one.
#[derive(Clone, Default)]
pub(super) struct Tls(Option<Arc<Credentials>>);

impl Tls {
    /// Loads the certificate if a listener needs it.
    pub(super) fn load(config: &Config) -> Result<Tls, ServerError> {
        let mut listeners = config.listen.iter().filter(|listen| listen.is_tls());
        let Some(first) = listeners.next() else {
            return Ok(Tls::default());
        };
        let Some(files) = &config.tls else {
            return Err(wrong(&first.endpoint, OptionError::NoCertificate));
        };
        let mut asking = config.listen.iter();
        if let Some(listen) = asking.find(|listen| listen.client_cert.is_some())
            && files.client_ca.is_none()
        {
            return Err(wrong(&listen.endpoint, OptionError::NoClientAuthority));
        }
        let credentials = Credentials::load(files.clone())?;
        let fingerprint = credentials.fingerprint();
        tracing::info!(certificate = %files.certificate.display(), %fingerprint, "certificate loaded");
        Ok(Tls(Some(Arc::new(credentials))))
    }

    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.0.as_deref()
    }

    /// Returns what the handshakes of a listener use.
    pub(super) fn handshake_config(
        &self,
        listen: &Listen,
        timeouts: &Timeouts,
    ) -> Option<HandshakeConfig> {
        let credentials = self.0.clone().filter(|_| listen.is_tls())?;
        Some(HandshakeConfig {
            credentials,
            client_cert: listen.client_cert.unwrap_or_default(),
            handshake_timeout: timeouts.handshake,
        })
    }
}

fn wrong(endpoint: &Endpoint, problem: OptionError) -> ServerError {
    let endpoint = endpoint.clone();
    ConfigError::Endpoint { endpoint, problem }.into()
}

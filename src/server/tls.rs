//! A server's certificate, for those of its listeners that need one.

use std::sync::Arc;

use super::config::{Config, Timeouts};
use super::error::{ConfigError, ServerError};
use super::listen::{Listen, OptionError};
use crate::transport::{Credentials, Endpoint, TlsDoor};

/// What there is to shake hands with, once it is loaded.
#[derive(Clone, Default)]
pub(super) struct Tls(Option<Arc<Credentials>>);

impl Tls {
    /// Loads it where a listener needs it, and nowhere else.
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
        tracing::info!(certificate = %files.certificate.display(), %fingerprint, "tls");
        Ok(Tls(Some(Arc::new(credentials))))
    }

    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.0.as_deref()
    }

    /// What a listener's handshakes are made with.
    pub(super) fn door(&self, listen: &Listen, timeouts: &Timeouts) -> Option<TlsDoor> {
        let credentials = self.0.clone().filter(|_| listen.is_tls())?;
        Some(TlsDoor {
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

//! The certificate of a server, for its `tls:` listeners.

use std::sync::Arc;

use super::config::Config;
use super::error::{ConfigError, ServerError};
use super::listen::{Listen, OptionError};
use super::reconfigure_error::ReconfigureError;
use crate::transport::{
    ConnectionTimeouts, Credentials, Endpoint, Fingerprint, HandshakeConfig, NewCredentials,
    TlsConfig,
};

/// The loaded certificate; none if no listener needs one.
#[derive(Clone, Default)]
pub(super) struct Tls(Option<Arc<Credentials>>);

impl Tls {
    /// Loads the certificate if a listener needs it.
    pub(super) fn load(config: &Config) -> Result<Tls, ServerError> {
        let Some(files) = files(config)? else {
            return Ok(Tls::default());
        };
        let credentials = Credentials::load(files.clone())?;
        let fingerprint = credentials.fingerprint();
        tracing::info!(certificate = %files.certificate.display(), %fingerprint, "certificate loaded");
        Ok(Tls(Some(Arc::new(credentials))))
    }

    /// Loads another certificate, which is not used yet. `None`: no listener needs one.
    ///
    /// # Errors
    /// There is no certificate, or it cannot be used.
    pub(super) fn prepare(
        &self,
        config: &Config,
    ) -> Result<Option<NewCredentials>, ReconfigureError> {
        let files = files(config)?.filter(|_| self.0.is_some());
        Ok(files.map(Credentials::prepare).transpose()?)
    }

    /// Uses another certificate for later handshakes. Returns its fingerprint.
    pub(super) fn install(&self, new: NewCredentials) -> Option<Fingerprint> {
        let credentials = self.0.as_ref()?;
        Some(credentials.install(new))
    }

    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.0.as_deref()
    }

    /// Returns what the handshakes of a listener use.
    pub(super) fn handshake_config(
        &self,
        listen: &Listen,
        timeouts: &ConnectionTimeouts,
    ) -> Option<HandshakeConfig> {
        let credentials = self.0.clone().filter(|_| listen.is_tls())?;
        Some(HandshakeConfig {
            credentials,
            client_cert: listen.client_cert.unwrap_or_default(),
            timeouts: timeouts.clone(),
        })
    }
}

/// Returns the files of the certificate that the listeners need; `None`: they need none.
fn files(config: &Config) -> Result<Option<&TlsConfig>, ConfigError> {
    let mut listeners = config.listen.iter().filter(|listen| listen.is_tls());
    let Some(first) = listeners.next() else {
        return Ok(None);
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
    Ok(Some(files))
}

fn wrong(endpoint: &Endpoint, problem: OptionError) -> ConfigError {
    let endpoint = endpoint.clone();
    ConfigError::Endpoint { endpoint, problem }
}

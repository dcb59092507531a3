//! Listening on each endpoint of a configuration.

use super::config::Config;
use super::error::ServerError;
use super::listen::Listen;
use super::passed_sockets::listen_on_passed;
use super::tls::Tls;
use crate::transport::{BindError, ConnectionTimeouts, Endpoint, ListenOptions, Listener};

/// Listens on each endpoint. On an error none is left open. Dropping the future closes those
/// that are open.
pub(super) async fn bind_listeners(
    config: &Config,
    tls: &Tls,
    timeouts: &ConnectionTimeouts,
) -> Result<Vec<(Listen, Listener)>, ServerError> {
    let mut listeners: Vec<(Listen, Listener)> = Vec::new();
    for (index, listen) in config.listen.iter().enumerate() {
        for (_, other) in &listeners {
            other.check_apart(&listen.endpoint).await?;
        }
        let options = ListenOptions {
            access: &listen.access,
            remote: listen.remote,
            pipe: listen.pipe(),
            max: listen.max,
            tls: tls.handshake_config(listen, timeouts),
            timeouts: timeouts.clone(),
        };
        if let Endpoint::Systemd(name) = &listen.endpoint {
            check_first(&listen.endpoint, &config.listen[..index])?;
            listeners.extend(listen_on_passed(config, name, listen, &options)?);
            continue;
        }
        let listener = Listener::bind(&listen.endpoint, &options).await?;
        listeners.push((listen.clone(), listener));
    }
    Ok(listeners)
}

/// Checks that no earlier endpoint has taken the sockets of this name.
fn check_first(endpoint: &Endpoint, earlier: &[Listen]) -> Result<(), BindError> {
    match earlier.iter().find(|earlier| earlier.endpoint == *endpoint) {
        None => Ok(()),
        Some(earlier) => Err(BindError::Own {
            endpoint: endpoint.clone(),
            other: earlier.endpoint.clone(),
        }),
    }
}

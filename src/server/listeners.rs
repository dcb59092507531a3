//! Listening on each endpoint of a configuration.

use super::config::Config;
use super::error::ServerError;
use super::listen::Listen;
use super::tls::Tls;
use crate::transport::{ListenOptions, Listener};

/// Listens on each endpoint. On an error none is left open. Dropping the future closes those
/// that are open.
pub(super) async fn bind_listeners(
    config: &Config,
    tls: &Tls,
) -> Result<Vec<(Listen, Listener)>, ServerError> {
    let mut listeners: Vec<(Listen, Listener)> = Vec::new();
    for listen in &config.listen {
        for (_, other) in &listeners {
            other.check_apart(&listen.endpoint).await?;
        }
        let options = ListenOptions {
            access: &listen.access,
            remote: listen.remote,
            pipe: listen.pipe(),
            max: listen.max,
            tls: tls.handshake_config(listen, &config.timeouts),
            peer_timeouts: config.timeouts.peer(),
        };
        let listener = Listener::bind(&listen.endpoint, &options).await?;
        listeners.push((listen.clone(), listener));
    }
    Ok(listeners)
}

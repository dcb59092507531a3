//! An endpoint for operators beside those of clients. No session comes of its connections.

use std::future::poll_fn;
use std::time::Duration;

use crate::framing::{Failure, Framing};
use crate::link::Accept;
use crate::transport::{
    AcceptedConnection, Access, BindError, Connection, ConnectionTimeouts, Endpoint, ListenOptions,
    Listener, Peer, PeerTimeouts, Remote,
};

/// The longest time from a connect to the end of a TLS handshake, which these endpoints have none of.
const HANDSHAKE: Duration = Duration::ZERO;

/// The pause after an accept that failed for a reason of the system.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens for operators on a local endpoint. Dropping it removes a socket's file.
#[derive(Debug)]
pub struct AdminListener(Listener);

impl AdminListener {
    /// Listens on an endpoint whose connections are streams of bytes.
    ///
    /// # Errors
    /// See [`BindError`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn bind(endpoint: &Endpoint, access: &Access) -> Result<AdminListener, BindError> {
        let options = ListenOptions {
            access,
            remote: Remote::Reject,
            pipe: Framing::Stream,
            max: None,
            tls: None,
            timeouts: ConnectionTimeouts::new(PeerTimeouts::default(), HANDSHAKE),
        };
        Listener::bind(endpoint, &options).await.map(AdminListener)
    }

    /// Returns the endpoint, with the port that the system chose.
    pub fn endpoint(&self) -> &Endpoint {
        self.0.endpoint()
    }

    /// Waits for the next connection of a user who may connect, whatever fails meanwhile.
    /// Cancel safe.
    pub async fn accept(&mut self) -> (Connection, Peer) {
        loop {
            let accepted = poll_fn(|cx| {
                self.0.poll_watch(cx);
                self.0.poll_accept(cx)
            });
            match accepted.await {
                Ok(accepted) if accepted.is_admitted => match accepted.connection.attach() {
                    Ok(connection) => return (connection, accepted.peer),
                    Err(error) => {
                        let (endpoint, peer) = (self.endpoint(), accepted.peer);
                        tracing::warn!(%endpoint, %peer, %error, "connection not attached");
                    }
                },
                Ok(AcceptedConnection { peer, .. }) => {
                    tracing::debug!(endpoint = %self.endpoint(), %peer, "connection refused");
                }
                Err(error) if self.0.failure_of(&error) == Failure::PeerGone => {}
                Err(error) => {
                    tracing::debug!(endpoint = %self.endpoint(), %error, "connection not accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

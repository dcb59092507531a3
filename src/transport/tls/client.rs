//! Connecting to a TLS server.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::explain::{in_words, wrong};
use super::{Tls, TlsTrust};
use crate::transport::PeerTimeouts;
use crate::transport::connect_fault::look_up;
use crate::transport::tcp::Tcp;

/// The longest time for the handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects, and verifies the server's certificate.
///
/// # Errors
/// The kind is `InvalidData` if the server is not trusted or does not speak TLS.
pub(in crate::transport) async fn connect(
    host: &str,
    port: u16,
    trust: &TlsTrust,
) -> io::Result<Tls> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| {
        wrong(format!(
            "{host:?} is not a name that a certificate can have: {error}"
        ))
    })?;
    let config = Arc::new(trust.client_config()?);
    let stream = TcpStream::connect(&look_up(host, port).await?[..]).await?;
    let stream = Tcp::new(stream, &PeerTimeouts::default());
    let shaken = TlsConnector::from(config).connect(name, stream);
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, shaken).await {
        Ok(Ok(stream)) => Ok(Tls::opened(stream.into())),
        Ok(Err(error)) => Err(in_words(error)),
        Err(_) => {
            let problem = format!(
                "the tls handshake was not done within {HANDSHAKE_TIMEOUT:?}: is it a tls: endpoint?"
            );
            Err(io::Error::new(io::ErrorKind::TimedOut, problem))
        }
    }
}

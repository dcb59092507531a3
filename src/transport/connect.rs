//! Connecting to a listener.

use std::io;

use tokio::net::TcpStream;

use super::connect_fault::look_up;
use super::tcp::Tcp;
use super::{ConnectMode, Connection, Endpoint, PeerTimeouts, Trust, system, tls};

/// Connects to a listener. A TLS server must be one that `trust` allows.
///
/// # Errors
/// [`ConnectFault`](super::ConnectFault) tells the causes apart. A server that is not trusted,
/// or does not speak TLS, is of the kind `InvalidData`.
pub async fn connect(
    endpoint: &Endpoint,
    mode: ConnectMode,
    trust: &Trust,
) -> io::Result<Connection> {
    match endpoint {
        Endpoint::Tcp { host, port } => {
            let stream = TcpStream::connect(&look_up(host, *port).await?[..]).await?;
            let timeouts = PeerTimeouts::default();
            Ok(Connection::Tcp(Tcp::new(stream, &timeouts)))
        }
        Endpoint::Tls { host, port } => {
            let stream = tls::connect(host, *port, trust.tls()).await?;
            Ok(Connection::Tls(Box::new(stream)))
        }
        _ => Ok(Connection::Local(system::connect(endpoint, mode).await?)),
    }
}

//! Connects to the admin endpoint of a server.

use std::io;

use crate::transport::{ConnectMode, Connection, Endpoint, Trust, connect};

/// Connects to an admin endpoint. No secret may be sent to it before its server's user is checked.
///
/// # Errors
/// [`ConnectFault`](crate::transport::ConnectFault) tells the causes apart.
pub async fn connect_admin(endpoint: &Endpoint) -> io::Result<Connection> {
    connect(endpoint, ConnectMode::Frames, &Trust::default()).await
}

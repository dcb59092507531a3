//! How an endpoint is opened to clients.

use super::{Access, ConnectionTimeouts, HandshakeConfig, Remote};
use crate::framing::Framing;

/// How an endpoint is opened to clients.
#[derive(Debug, Clone)]
pub struct ListenOptions<'a> {
    /// The users of this machine who may connect.
    pub access: &'a Access,
    /// Whether clients of other hosts may connect to a Windows pipe.
    pub remote: Remote,
    /// The type of a Windows pipe; the type of every other endpoint is fixed.
    pub pipe: Framing,
    /// The most instances of a Windows pipe, each for one client; other clients wait until one
    /// is free. Elsewhere the acceptor counts.
    #[cfg_attr(not(windows), expect(dead_code, reason = "sockets have no instances"))]
    pub max: Option<usize>,
    /// The configuration of TLS handshakes, for a `tls:` endpoint.
    pub tls: Option<HandshakeConfig>,
    /// When a TCP peer that answers nothing is given up.
    pub timeouts: ConnectionTimeouts,
}

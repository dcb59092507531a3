//! The timeouts after which a TCP peer that answers nothing is given up.

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use super::tcp_state::set_user_timeout;

/// The timeouts after which a TCP peer that answers nothing is given up, because its host lost
/// power or the network broke. They apply to `tcp:` and `tls:` connections.
///
/// A peer that has nothing to say is probed: SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL and
/// TCP_KEEPCNT (tcp(7)), and their like on Windows. Data that the peer does not acknowledge is
/// bounded by TCP_USER_TIMEOUT, on Linux only; elsewhere the system's own bound holds. A peer
/// that acknowledges and does not read is alive, however long that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerTimeouts {
    /// The silence of a peer before the first probe, in whole seconds.
    pub keepalive_idle: Duration,
    /// The time between two probes without an answer, in whole seconds.
    pub keepalive_interval: Duration,
    /// The number of probes without an answer after which the connection is given up.
    pub keepalive_count: u32,
    /// The time for which sent data may stay unacknowledged.
    pub user_timeout: Duration,
}

impl Default for PeerTimeouts {
    fn default() -> Self {
        PeerTimeouts {
            keepalive_idle: Duration::from_secs(15),
            keepalive_interval: Duration::from_secs(5),
            keepalive_count: 3,
            user_timeout: Duration::from_secs(30),
        }
    }
}

impl PeerTimeouts {
    /// Returns timeouts of which each notices a dead peer within about `limit`.
    pub(crate) fn within(limit: Duration) -> PeerTimeouts {
        let whole = |part: u32| Duration::from_secs((limit / part).as_secs().max(1));
        PeerTimeouts {
            keepalive_idle: whole(2),
            keepalive_interval: whole(6),
            keepalive_count: 3,
            user_timeout: limit,
        }
    }

    /// Sets them on a stream, and TCP_NODELAY. A system that lacks an option keeps its default;
    /// that is no reason to refuse a connection.
    pub(super) fn set_on(&self, stream: &TcpStream) {
        let keepalive = TcpKeepalive::new()
            .with_time(self.keepalive_idle)
            .with_interval(self.keepalive_interval)
            .with_retries(self.keepalive_count);
        let set = stream
            .set_nodelay(true)
            .and_then(|()| SockRef::from(stream).set_tcp_keepalive(&keepalive))
            .and_then(|()| set_user_timeout(stream, Some(self.user_timeout)));
        if let Err(error) = set {
            tracing::debug!(%error, "tcp options not set");
        }
    }
}

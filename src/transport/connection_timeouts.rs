//! The timeouts of new connections, which can change while a listener is open.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;

use super::peer_timeouts::PeerTimeouts;

/// The timeouts that a listener gives each new connection. Clones share them.
#[derive(Debug, Clone)]
pub struct ConnectionTimeouts(Arc<RwLock<Current>>);

#[derive(Debug, Clone, Copy)]
struct Current {
    peer: PeerTimeouts,
    handshake: Duration,
}

impl ConnectionTimeouts {
    /// Returns timeouts: when a TCP peer that answers nothing is given up, and the longest time from
    /// a connect to the end of its TLS handshake.
    pub fn new(peer: PeerTimeouts, handshake: Duration) -> ConnectionTimeouts {
        ConnectionTimeouts(Arc::new(RwLock::new(Current { peer, handshake })))
    }

    /// Changes them for later connections.
    pub fn set(&self, peer: PeerTimeouts, handshake: Duration) {
        *self.0.write() = Current { peer, handshake };
    }

    pub(super) fn peer(&self) -> PeerTimeouts {
        self.0.read().peer
    }

    pub(super) fn handshake(&self) -> Duration {
        self.0.read().handshake
    }
}

//! How long a server waits.

use std::time::Duration;

use crate::transport::PeerTimeouts;

/// How long a server waits, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// The longest time that a stop may take.
    pub drain: Duration,
    /// From a connect to its login.
    pub login: Duration,
    /// Without a frame from a client; `None`: as long as it likes.
    pub idle: Option<Duration>,
    /// From a connect to the end of its TLS handshake.
    pub handshake: Duration,
    /// When a TCP peer that answers nothing is given up.
    pub peer: PeerTimeouts,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            drain: Duration::from_secs(20),
            login: Duration::from_secs(10),
            idle: None,
            handshake: Duration::from_secs(5),
            peer: PeerTimeouts::default(),
        }
    }
}

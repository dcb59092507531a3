//! How many logins that cost a hash one peer may ask for in a time.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::PeerId;
use super::memory::{Memory, Remembered, Worth};
use crate::rate::{Bucket, Rate};

/// A bucket of tokens a peer.
#[derive(Debug)]
pub(super) struct PeerRates {
    known: Mutex<Memory<PeerId, Bucket>>,
    rate: Rate,
}

impl PeerRates {
    pub(super) fn new(rate: Rate) -> PeerRates {
        PeerRates {
            known: Mutex::default(),
            rate,
        }
    }

    /// Takes one of the peer's tokens, or says when there is one.
    pub(super) fn take(&self, peer: &PeerId, now: Instant) -> Result<(), Duration> {
        let fresh = || Bucket::full(self.rate, now);
        self.known.lock().of(peer.clone(), now, fresh).take(now)
    }
}

impl Remembered for Bucket {
    fn worth(&self, now: Instant) -> Worth {
        if self.is_full(now) {
            Worth::Nothing
        } else {
            Worth::Little
        }
    }
}

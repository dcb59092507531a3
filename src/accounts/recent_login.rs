//! Remembers recent successful logins, so that a reconnect needs no hash.
//!
//! Many reconnects at once would cost one argon2 hash each. So a MAC of the right password is
//! kept for some minutes, under a key that exists in this process only; it is stored with the
//! account in memory and never on disk.

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Password, PeerId, UserName};

/// How long a login is remembered.
const FRESH: Duration = Duration::from_secs(5 * 60);

/// Creates and checks the MACs, with a key of this process.
pub(super) struct RecentLogins {
    key: [u8; 32],
}

/// A recent successful login.
#[derive(Debug, Clone)]
pub(super) struct RecentLogin {
    mac: [u8; 32],
    until: Instant,
    /// The peer that logged in.
    peer: PeerId,
}

impl RecentLogin {
    /// Whether this peer logged in and is a user of this machine. Programs of one local user
    /// can read each other's passwords anyway.
    pub(super) fn is_by_local_user(&self, peer: &PeerId) -> bool {
        peer.is_user() && self.peer == *peer
    }
}

impl RecentLogins {
    /// Creates a random key.
    ///
    /// # Errors
    /// The system provides no randomness.
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(RecentLogins { key })
    }

    pub(super) fn remember(
        &self,
        user: &UserName,
        phc: &str,
        password: &Password,
        peer: &PeerId,
    ) -> RecentLogin {
        let mac = self.mac(user, phc, password).finalize().into_bytes();
        RecentLogin {
            mac: mac.into(),
            until: Instant::now() + FRESH,
            peer: peer.clone(),
        }
    }

    /// Whether this is the password of the remembered login, compared in constant time. A new
    /// password changes the hash and so the MAC. The work is the same without a remembered
    /// login.
    pub(super) fn matches(
        &self,
        recent: Option<&RecentLogin>,
        user: &UserName,
        phc: &str,
        password: &Password,
    ) -> bool {
        let mac = self.mac(user, phc, password);
        let nothing = [0; 32];
        let is_same = mac.verify_slice(recent.map_or(&nothing, |recent| &recent.mac));
        is_same.is_ok() && recent.is_some_and(|recent| Instant::now() < recent.until)
    }

    fn mac(&self, user: &UserName, phc: &str, password: &Password) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("hmac takes a key of any length");
        for field in [user.as_str().as_bytes(), phc.as_bytes()] {
            mac.update(field);
            mac.update(&[0]); // neither holds a NUL
        }
        mac.update(password.as_bytes());
        mac
    }
}

impl std::fmt::Debug for RecentLogins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecentLogins(…)")
    }
}

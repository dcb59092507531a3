//! Passwords that were found right a short while ago.
//!
//! A storm of reconnects would cost an argon2 each. So a MAC of the password that
//! was right is kept for some minutes, under a key that lives in this process
//! only; it stands beside the account in memory and never on disk.

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Password, PeerId, UserName};

/// How long a password that was right is known to be.
const FRESH: Duration = Duration::from_secs(5 * 60);

/// The key of this process.
pub(super) struct RecentLogins {
    key: [u8; 32],
}

/// That a password was right, and until when that counts.
#[derive(Debug, Clone)]
pub(super) struct RecentLogin {
    mac: [u8; 32],
    until: Instant,
    /// Whose it was.
    peer: PeerId,
}

impl RecentLogin {
    /// Whether it was this peer's, and the peer is a user of this machine: all that is that
    /// user's is in the same hands.
    pub(super) fn is_of(&self, peer: &PeerId) -> bool {
        peer.is_user() && self.peer == *peer
    }
}

impl RecentLogins {
    /// # Errors
    /// The system has no randomness to give.
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

    /// Whether this is the password that was right, compared in constant time.
    /// A changed hash changes the MAC: a new password ends the memory of the old. It is
    /// the same work where nothing is remembered.
    pub(super) fn knows(
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

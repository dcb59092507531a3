//! Slows guessing down, and nobody else.
//!
//! What is counted is the wrong passwords of one peer for one name. The first
//! [`FREE`] cost no wait; each one more doubles it. So whoever guesses at a name from
//! elsewhere does not keep its owner out, who is another peer; and on this machine,
//! where two may look like one peer (loopback TCP), nobody waits longer than
//! [`LONGEST_HERE`].
//!
//! Guesses that come at once are no way around it: no more of them are in work than
//! may still go wrong, and the others wait to hear how those ended. Only a user of this
//! machine who was found right a short while ago is let in before any of this is looked at:
//! whoever has that user's programs has the user's password too.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::bounded_map::{BoundedMap, Evictable, EvictionRank};
use super::{PeerId, UserName};
use crate::rate::{Bucket, Rate};

/// Wrong passwords that nobody waits for.
pub(super) const FREE: u32 = 10;

/// The first wait; it doubles.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait of a peer on this machine, and of one elsewhere.
const LONGEST_HERE: Duration = Duration::from_secs(1);
const LONGEST_ELSEWHERE: Duration = Duration::from_secs(60);

/// After so long without a wrong password all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(10 * 60);

type Key = (UserName, PeerId);

/// The wrong passwords of every peer for every name.
#[derive(Debug)]
pub(super) struct BackoffTable {
    known: Mutex<BoundedMap<Key, LoginBackoff>>,
    /// Passwords of one name that one peer may have looked at, right or wrong.
    rate: Rate,
}

#[derive(Debug)]
struct LoginBackoff {
    wrong: u32,
    /// Attempts that are being looked at.
    in_work: u32,
    /// Nothing is looked at before.
    until: Instant,
    bucket: Bucket,
    /// Rings when an attempt is over.
    over: Arc<Notify>,
}

/// What becomes of an attempt.
pub(super) enum AttemptDecision<'a> {
    /// AttemptPermit at the password, and say how it was.
    Allowed(Attempt<'a>),
    /// Others like it are being looked at: wait for one, then ask again.
    WaitForOthers(OwnedNotified),
    /// Not before this has passed.
    RetryAfter(Duration),
}

/// A password that is being looked at.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    backoffs: &'a BackoffTable,
    key: Key,
}

impl BackoffTable {
    pub(super) fn new(rate: Rate) -> BackoffTable {
        BackoffTable {
            known: Mutex::default(),
            rate,
        }
    }

    /// Whether a password may be looked at now.
    pub(super) fn attempt(
        &self,
        user: &UserName,
        peer: &PeerId,
        now: Instant,
    ) -> AttemptDecision<'_> {
        let mut known = self.known.lock();
        let key = (user.clone(), peer.clone());
        let backoff = known.of(key.clone(), now, || LoginBackoff::new(self.rate, now));
        if backoff.is_old(now) {
            backoff.wrong = 0;
        }
        if let Some(wait) = backoff
            .until
            .checked_duration_since(now)
            .filter(|wait| !wait.is_zero() && backoff.wrong > 0)
        {
            return AttemptDecision::RetryAfter(wait);
        }
        if backoff.in_work > 0 && backoff.wrong + backoff.in_work >= FREE {
            return AttemptDecision::WaitForOthers(Arc::clone(&backoff.over).notified_owned());
        }
        backoff.in_work += 1;
        AttemptDecision::Allowed(Attempt {
            backoffs: self,
            key,
        })
    }

    /// Ends the back-off of this name and peer: its password was right, however that
    /// was found out.
    pub(super) fn forgive(&self, user: &UserName, peer: &PeerId) {
        self.conclude(&(user.clone(), peer.clone()), LoginBackoff::forgive);
    }

    /// Whoever waits looks again.
    pub(super) fn let_go(&self) {
        for backoff in self.known.lock().values_mut() {
            backoff.over.notify_waiters();
        }
    }

    fn conclude(&self, key: &Key, change: impl FnOnce(&mut LoginBackoff)) {
        if let Some(backoff) = self.known.lock().get_mut(key) {
            change(backoff);
        }
    }
}

impl Attempt<'_> {
    /// Takes one of the tokens of the name and the peer, or says when there is one. Only
    /// what costs a hash takes one.
    pub(super) fn take_token(&self, now: Instant) -> Result<(), Duration> {
        let mut known = self.backoffs.known.lock();
        known
            .get_mut(&self.key)
            .map_or(Ok(()), |backoff| backoff.bucket.take(now))
    }

    /// The password was wrong.
    pub(super) fn wrong(self, now: Instant) {
        let longest = if self.key.1.is_local() {
            LONGEST_HERE
        } else {
            LONGEST_ELSEWHERE
        };
        self.backoffs.conclude(&self.key, |backoff| {
            backoff.wrong = backoff.wrong.saturating_add(1);
            backoff.until = now + pause(backoff.wrong, longest);
        });
    }

    /// The password was right: the wrong ones before it were its owner's.
    pub(super) fn right(self) {
        self.backoffs.conclude(&self.key, LoginBackoff::forgive);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.backoffs.conclude(&self.key, |backoff| {
            backoff.in_work -= 1;
            backoff.over.notify_waiters();
        });
    }
}

impl LoginBackoff {
    fn new(rate: Rate, now: Instant) -> LoginBackoff {
        LoginBackoff {
            wrong: 0,
            in_work: 0,
            until: now,
            bucket: Bucket::full(rate, now),
            over: Arc::default(),
        }
    }

    /// Forgets the wrong passwords, and so the wait that the last of them began.
    fn forgive(&mut self) {
        self.wrong = 0;
    }

    fn is_old(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.until) >= FORGOTTEN
    }
}

impl Evictable for LoginBackoff {
    fn eviction_rank(&self, now: Instant) -> EvictionRank {
        let wrong = if self.is_old(now) { 0 } else { self.wrong };
        match wrong {
            _ if self.in_work > 0 => EvictionRank::Pinned,
            0 if self.bucket.is_full(now) => EvictionRank::Redundant,
            0..FREE => EvictionRank::Low,
            _ => EvictionRank::High,
        }
    }
}

/// How long to wait after so many wrong passwords.
fn pause(wrong: u32, longest: Duration) -> Duration {
    match wrong.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(beyond) => FIRST.saturating_mul(1 << beyond.min(16)).min(longest),
    }
}

#[cfg(test)]
mod tests;

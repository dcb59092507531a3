//! Back-off after failed logins, per user and peer.
//!
//! The first [`FREE`] wrong passwords of a peer for a name cost no wait; each further one
//! doubles the wait. So a peer that guesses a name's password does not lock its owner out, who
//! is another peer. On this machine two users may look like one peer (loopback TCP), so waits
//! there are at most [`LONGEST_HERE`].
//!
//! Concurrent attempts do not bypass the back-off: no more of them are in work than may still
//! fail without a wait, and the others wait for their results. Only a local user that logged in
//! a short while ago skips it: programs of that user have its password anyway.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::bounded_map::{BoundedMap, Evictable, EvictionRank};
use super::{PeerId, UserName};
use crate::rate::{Bucket, Rate};

/// Wrong passwords that cost no wait.
pub(super) const FREE: u32 = 10;

/// The first wait; it doubles.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait of a peer on this machine, and of a remote peer.
const LONGEST_HERE: Duration = Duration::from_secs(1);
const LONGEST_REMOTE: Duration = Duration::from_secs(60);

/// The time without a wrong password after which a back-off is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(10 * 60);

type Key = (UserName, PeerId);

/// The back-offs of every user and peer.
#[derive(Debug)]
pub(super) struct BackoffTable {
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    known: BoundedMap<Key, LoginBackoff>,
    /// The rate of password checks per user and peer, right or wrong.
    rate: Rate,
}

#[derive(Debug)]
struct LoginBackoff {
    wrong: u32,
    /// Attempts whose passwords are being checked.
    in_work: u32,
    /// No password is checked before this.
    until: Instant,
    bucket: Bucket,
    /// Notified when an attempt ends.
    over: Arc<Notify>,
}

/// The decision about an attempt.
pub(super) enum AttemptDecision<'a> {
    /// AttemptPermit at the password, and say how it was.
    Allowed(Attempt<'a>),
    /// Enough attempts are in work: wait until one ends, then ask again.
    WaitForOthers(OwnedNotified),
    /// Not before this time has passed.
    RetryAfter(Duration),
}

/// An attempt in work. Dropping it ends the attempt.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    backoffs: &'a BackoffTable,
    key: Key,
}

impl BackoffTable {
    pub(super) fn new(rate: Rate) -> BackoffTable {
        let known = BoundedMap::default();
        BackoffTable {
            table: Mutex::new(Table { known, rate }),
        }
    }

    /// Changes the rate of password checks: each user and peer begins with a full bucket of the new
    /// one. Back-offs go on.
    pub(super) fn set_rate(&self, rate: Rate, now: Instant) {
        let mut table = self.table.lock();
        if table.rate == rate {
            return;
        }
        table.rate = rate;
        for backoff in table.known.values_mut() {
            backoff.bucket = Bucket::full(rate, now);
        }
    }

    /// Decides whether a password may be checked now.
    pub(super) fn attempt(
        &self,
        user: &UserName,
        peer: &PeerId,
        now: Instant,
    ) -> AttemptDecision<'_> {
        let Table { known, rate } = &mut *self.table.lock();
        let key = (user.clone(), peer.clone());
        let backoff = known.get_or_insert(key.clone(), now, || LoginBackoff::new(*rate, now));
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

    /// Ends the back-off of this user and peer after a successful login.
    pub(super) fn forgive(&self, user: &UserName, peer: &PeerId) {
        self.conclude(&(user.clone(), peer.clone()), LoginBackoff::forgive);
    }

    /// Wakes every attempt that waits for others.
    pub(super) fn wake_waiting(&self) {
        for backoff in self.table.lock().known.values_mut() {
            backoff.over.notify_waiters();
        }
    }

    fn conclude(&self, key: &Key, change: impl FnOnce(&mut LoginBackoff)) {
        if let Some(backoff) = self.table.lock().known.get_mut(key) {
            change(backoff);
        }
    }
}

impl Attempt<'_> {
    /// Takes a token of the user and peer, or returns the time until there is one. Only an
    /// attempt that costs a hash takes one.
    pub(super) fn take_token(&self, now: Instant) -> Result<(), Duration> {
        let Table { known, .. } = &mut *self.backoffs.table.lock();
        known
            .get_mut(&self.key)
            .map_or(Ok(()), |backoff| backoff.bucket.take(now))
    }

    /// Reports that the password was wrong.
    pub(super) fn fail(self, now: Instant) {
        let longest = if self.key.1.is_local() {
            LONGEST_HERE
        } else {
            LONGEST_REMOTE
        };
        self.backoffs.conclude(&self.key, |backoff| {
            backoff.wrong = backoff.wrong.saturating_add(1);
            backoff.until = now + pause(backoff.wrong, longest);
        });
    }

    /// Reports that the password was right: the owner made the failed attempts before.
    pub(super) fn succeed(self) {
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

    /// Forgets the wrong passwords, and with them the current wait.
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

/// Returns the wait after this many wrong passwords.
fn pause(wrong: u32, longest: Duration) -> Duration {
    match wrong.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(beyond) => FIRST.saturating_mul(1 << beyond.min(16)).min(longest),
    }
}

#[cfg(test)]
mod tests;

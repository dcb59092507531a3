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

use super::memory::{Memory, Remembered, Worth};
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
pub(super) struct Brakes {
    known: Mutex<Memory<Key, Brake>>,
    /// Passwords of one name that one peer may have looked at, right or wrong.
    rate: Rate,
}

#[derive(Debug)]
struct Brake {
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
pub(super) enum Verdict<'a> {
    /// Look at the password, and say how it was.
    Look(Attempt<'a>),
    /// Others like it are being looked at: wait for one, then ask again.
    Wait(OwnedNotified),
    /// Not before this has passed.
    Later(Duration),
}

/// A password that is being looked at.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    brakes: &'a Brakes,
    key: Key,
}

impl Brakes {
    pub(super) fn new(rate: Rate) -> Brakes {
        Brakes {
            known: Mutex::default(),
            rate,
        }
    }

    /// Whether a password may be looked at now.
    pub(super) fn attempt(&self, user: &UserName, peer: &PeerId, now: Instant) -> Verdict<'_> {
        let mut known = self.known.lock();
        let key = (user.clone(), peer.clone());
        let brake = known.of(key.clone(), now, || Brake::new(self.rate, now));
        if brake.is_old(now) {
            brake.wrong = 0;
        }
        if let Some(wait) = brake
            .until
            .checked_duration_since(now)
            .filter(|wait| !wait.is_zero() && brake.wrong > 0)
        {
            return Verdict::Later(wait);
        }
        if brake.in_work > 0 && brake.wrong + brake.in_work >= FREE {
            return Verdict::Wait(Arc::clone(&brake.over).notified_owned());
        }
        brake.in_work += 1;
        Verdict::Look(Attempt { brakes: self, key })
    }

    /// Ends the back-off of this name and peer: its password was right, however that
    /// was found out.
    pub(super) fn forgive(&self, user: &UserName, peer: &PeerId) {
        self.conclude(&(user.clone(), peer.clone()), Brake::forgive);
    }

    /// Whoever waits looks again.
    pub(super) fn let_go(&self) {
        for brake in self.known.lock().values_mut() {
            brake.over.notify_waiters();
        }
    }

    fn conclude(&self, key: &Key, change: impl FnOnce(&mut Brake)) {
        if let Some(brake) = self.known.lock().get_mut(key) {
            change(brake);
        }
    }
}

impl Attempt<'_> {
    /// Takes one of the tokens of the name and the peer, or says when there is one. Only
    /// what costs a hash takes one.
    pub(super) fn take_token(&self, now: Instant) -> Result<(), Duration> {
        let mut known = self.brakes.known.lock();
        known
            .get_mut(&self.key)
            .map_or(Ok(()), |brake| brake.bucket.take(now))
    }

    /// The password was wrong.
    pub(super) fn wrong(self, now: Instant) {
        let longest = if self.key.1.is_local() {
            LONGEST_HERE
        } else {
            LONGEST_ELSEWHERE
        };
        self.brakes.conclude(&self.key, |brake| {
            brake.wrong = brake.wrong.saturating_add(1);
            brake.until = now + pause(brake.wrong, longest);
        });
    }

    /// The password was right: the wrong ones before it were its owner's.
    pub(super) fn right(self) {
        self.brakes.conclude(&self.key, Brake::forgive);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.brakes.conclude(&self.key, |brake| {
            brake.in_work -= 1;
            brake.over.notify_waiters();
        });
    }
}

impl Brake {
    fn new(rate: Rate, now: Instant) -> Brake {
        Brake {
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

impl Remembered for Brake {
    fn worth(&self, now: Instant) -> Worth {
        let wrong = if self.is_old(now) { 0 } else { self.wrong };
        match wrong {
            _ if self.in_work > 0 => Worth::Pinned,
            0 if self.bucket.is_full(now) => Worth::Nothing,
            0..FREE => Worth::Little,
            _ => Worth::Much,
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

//! Tracks the users who are present, and when to announce them.
//!
//! Each `joined` and each `left` is a broadcast, and takes space in the log and the journal. So a
//! user that joins and leaves repeatedly is announced about once a second, and all users together
//! have a share of the space ([`PresenceLimits`]). docs/limits.md says what that means for
//! messages.
//!
//! Invariants:
//! - of one user `joined` and `left` alternate, and the last announcement becomes the truth;
//! - `joined` is announced at the login, unless all users together have used up their
//!   share; only `left` waits for its user's turn, and a user that comes back meanwhile is
//!   not announced at all;
//! - the list of present users is exact at any time, whatever has been announced;
//! - a user that has left is forgotten once that is announced and its rate limit is full again.
//!
//! It takes the time as an input, and makes no broadcast itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::accounts::UserName;
use crate::log::PresenceChange;
use crate::rate::{Bucket, Rate};

/// The rate of one user's announcements: two at once, and then one a second.
const USER_RATE: Rate = Rate::per_seconds(2, 2);

/// How long a user whose announcement is not shown yet is remembered at least.
const USER_INTERVAL: Duration = Duration::from_secs(1);

/// Bytes that an announcement takes in the log and in the journal at most, with its row and
/// a name of 64 bytes.
const COST: u64 = 256;

/// All users together have this part of what is kept at once, and once more in
/// [`SHARE_TIME`] seconds.
const SHARE: u64 = 4;
const SHARE_TIME: u32 = 600;

/// All users together have no fewer announcements than this in [`SHARE_TIME`] seconds.
const LEAST: u32 = 64;

/// Bounds the announcements of all users together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresenceLimits {
    at_once: u32,
}

impl PresenceLimits {
    /// A quarter of the `kept` bytes at once, and another quarter each ten minutes.
    pub fn share_of(kept: u64) -> PresenceLimits {
        let at_once = u32::try_from(kept / SHARE / COST).unwrap_or(u32::MAX);
        PresenceLimits {
            at_once: at_once.max(LEAST),
        }
    }
}

/// The kind of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Joined,
    Left,
}

impl Change {
    /// The announcement of this change of `user`.
    pub(super) fn of(self, user: &UserName) -> PresenceChange<'_> {
        match self {
            Change::Joined => PresenceChange::Joined(user.as_str()),
            Change::Left => PresenceChange::Left(user.as_str()),
        }
    }
}

/// The announcement that a login needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JoinAnnouncement {
    /// Nothing now: the user is announced already, or is announced later.
    NotNeeded,
    /// The user's `joined` has been made and is not visible yet.
    InFlight,
    /// The user's `joined` is to be made now, see [`Presence::made`].
    Needed,
}

/// The users who have a session, and those whose `left` is still to come.
#[derive(Debug)]
pub(super) struct Presence {
    users: BTreeMap<UserName, User>,
    /// Users by the time at which they are due; each at most once.
    waiting: BTreeSet<(Instant, UserName)>,
    /// The rate limit of all users together.
    share: Bucket,
    /// When the share has a token again, if it had none when it was last asked.
    blocked_until: Option<Instant>,
}

#[derive(Debug)]
struct User {
    sessions: usize,
    /// Whether a login of the user has been answered since it has sessions.
    is_present: bool,
    /// The last announcement that was made, and the last that is visible.
    made: Change,
    shown: Change,
    /// Announcements between the two, which are not visible yet.
    unshown: usize,
    bucket: Bucket,
    /// When it is due in `waiting`.
    waits_until: Option<Instant>,
}

impl User {
    fn is(&self) -> Change {
        if self.sessions > 0 {
            Change::Joined
        } else {
            Change::Left
        }
    }
}

impl Presence {
    pub(super) fn new(limits: PresenceLimits, now: Instant) -> Presence {
        Presence {
            users: BTreeMap::new(),
            waiting: BTreeSet::new(),
            share: Bucket::full(Rate::per_seconds(limits.at_once, SHARE_TIME), now),
            blocked_until: None,
        }
    }

    /// Changes the limits of announcements.
    pub(super) fn set_limits(&mut self, limits: PresenceLimits, now: Instant) {
        let share = Rate::per_seconds(limits.at_once, SHARE_TIME);
        if !self.share.has_rate(share) {
            self.share = Bucket::full(share, now);
        }
    }

    /// Adds a session.
    pub(super) fn enter(&mut self, user: &UserName, now: Instant) -> JoinAnnouncement {
        let known = self.users.entry(user.clone()).or_insert_with(|| User {
            sessions: 0,
            is_present: false,
            made: Change::Left,
            shown: Change::Left,
            unshown: 0,
            bucket: Bucket::full(USER_RATE, now),
            waits_until: None,
        });
        known.sessions += 1;
        if known.made == Change::Joined {
            let is_shown = known.unshown == 0;
            self.unschedule(user); // its `left`
            return if is_shown {
                JoinAnnouncement::NotNeeded
            } else {
                JoinAnnouncement::InFlight
            };
        }
        if self.share.ready_at() <= now {
            return JoinAnnouncement::Needed;
        }
        self.schedule(user, now);
        JoinAnnouncement::NotNeeded
    }

    /// Removes the session of a login that failed.
    pub(super) fn reject(&mut self, user: &UserName, now: Instant) {
        if self.leave(user, now) {
            self.schedule(user, now);
        }
    }

    /// Notes that a login is answered: the user is present from now on.
    pub(super) fn admit(&mut self, user: &UserName) {
        if let Some(known) = self.users.get_mut(user) {
            known.is_present = known.sessions > 0;
        }
    }

    /// Removes a session. Returns whether the user's `left` is to be made now.
    pub(super) fn leave(&mut self, user: &UserName, now: Instant) -> bool {
        let Some(known) = self.users.get_mut(user) else {
            return false;
        };
        known.sessions = known.sessions.saturating_sub(1);
        if known.sessions > 0 {
            return false;
        }
        known.is_present = false;
        let (made, next, full_at) = (known.made, known.bucket.ready_at(), known.bucket.full_at());
        if made == Change::Left {
            self.schedule(user, full_at); // to be forgotten
            return false;
        }
        if next <= now && self.share.ready_at() <= now {
            return true;
        }
        self.schedule(user, next.max(now));
        false
    }

    /// Notes that an announcement was made; it becomes visible later.
    pub(super) fn made(&mut self, user: &UserName, change: Change, now: Instant) {
        let Some(known) = self.users.get_mut(user) else {
            return;
        };
        known.made = change;
        known.unshown += 1;
        known.bucket.take_in_advance(now);
        let full_at = known.bucket.full_at();
        self.share.take_in_advance(now);
        match change {
            Change::Joined => self.unschedule(user),
            Change::Left => self.schedule(user, full_at), // to be forgotten
        }
    }

    /// Notes that an announcement is visible.
    pub(super) fn shown(&mut self, user: &UserName, change: Change) {
        if let Some(known) = self.users.get_mut(user) {
            known.shown = change;
            known.unshown = known.unshown.saturating_sub(1);
        }
    }

    /// Notes that an announcement that was made never becomes visible, nor any after it.
    pub(super) fn undo(&mut self, user: &UserName, now: Instant) {
        let Some(known) = self.users.get_mut(user) else {
            return;
        };
        if known.unshown > 0 {
            known.unshown -= 1;
            known.bucket.give_back();
            self.share.give_back();
        }
        known.made = known.shown;
        self.schedule(user, now);
    }

    /// Notes that a `left` could not be made: it is tried again.
    pub(super) fn postpone(&mut self, user: &UserName, now: Instant) {
        self.schedule(user, now);
    }

    /// Returns the next announcement that is to be made now, see [`Presence::made`].
    pub(super) fn due(&mut self, now: Instant) -> Option<(UserName, Change)> {
        loop {
            let (at, _) = self.waiting.first()?;
            if *at > now {
                return None;
            }
            let (_, user) = self.waiting.first()?.clone();
            let known = self.users.get_mut(&user)?;
            let (is, full_at, is_shown) = (known.is(), known.bucket.full_at(), known.unshown == 0);
            if is != known.made {
                if self.share.ready_at() <= now {
                    self.unschedule(&user);
                    return Some((user, is));
                }
                self.blocked_until = Some(self.share.ready_at());
                return None;
            }
            self.unschedule(&user);
            if is == Change::Joined {
                continue; // it is announced already
            }
            if full_at <= now && is_shown {
                self.users.remove(&user);
            } else {
                self.schedule(&user, full_at.max(now + USER_INTERVAL));
            }
        }
    }

    /// Returns when to ask for due announcements.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let (at, _) = self.waiting.first()?;
        Some(self.blocked_until.map_or(*at, |until| until.max(*at)))
    }

    /// Returns the users who are present, in the order of their names.
    pub(super) fn present(&self) -> Vec<UserName> {
        let present = self.users.iter().filter(|(_, known)| known.is_present);
        present.map(|(user, _)| user.clone()).collect()
    }

    fn schedule(&mut self, user: &UserName, at: Instant) {
        self.unschedule(user);
        if let Some(known) = self.users.get_mut(user) {
            known.waits_until = Some(at);
            self.waiting.insert((at, user.clone()));
        }
    }

    fn unschedule(&mut self, user: &UserName) {
        let known = self.users.get_mut(user);
        if let Some(at) = known.and_then(|known| known.waits_until.take()) {
            self.waiting.remove(&(at, user.clone()));
        }
    }
}

#[cfg(test)]
mod tests;

//! Tracks the users who are present, and when to announce them.
//!
//! Each `joined` and each `left` is a broadcast, and takes room among the messages that
//! the log and the journal keep. So a user that comes and goes is announced about once a
//! second, and all users together have a share of what is kept ([`PresenceLimits`]).
//! docs/limits.md says what that means for messages.
//!
//! Invariants:
//! - of one user `joined` and `left` alternate, and what is announced last becomes what
//!   is true;
//! - `joined` is announced at the login, unless all users together have used up their
//!   share; only `left` waits for its user's turn, and a user that comes back meanwhile is
//!   not announced at all;
//! - who is present is exact at any time, whatever has been announced;
//! - nothing is remembered of users that are gone and announced for longer than their
//!   turns last.
//!
//! It is told the time, and makes no broadcast itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::spacing::Spacing;
use crate::accounts::UserName;
use crate::log::PresenceChange;

/// One user's announcements: the burst, and the interval after which one more is allowed.
const USER_AT_ONCE: u32 = 2;
const USER_INTERVAL: Duration = Duration::from_secs(1);

/// Bytes that an announcement takes in the log and in the journal at most, with its row and
/// a name of 64 bytes.
const COST: u64 = 256;

/// All users together have this part of what is kept at once, and once more in
/// [`SHARE_TIME`].
const SHARE: u64 = 4;
const SHARE_TIME: Duration = Duration::from_secs(600);

/// All users together have no fewer announcements than this in [`SHARE_TIME`].
const LEAST: u32 = 64;

/// How many announcements there may be in all.
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

/// The work that a login leaves to the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JoinAnnouncement {
    /// The others know the user, or are told later.
    NotNeeded,
    /// The user's `joined` has been made and is not shown yet.
    InFlight,
    /// The user's `joined` is to be made now, see [`Presence::made`].
    Needed,
}

/// The users who have a session, and those whose `left` is still to come.
#[derive(Debug)]
pub(super) struct Presence {
    users: BTreeMap<UserName, User>,
    /// Users to look at again, by the time; each is here once at most.
    waiting: BTreeSet<(Instant, UserName)>,
    /// The rate limit of all users together.
    share: Spacing,
    /// The share was used up when it was last asked for: not before this again.
    blocked_until: Option<Instant>,
}

#[derive(Debug)]
struct User {
    sessions: usize,
    /// Whether a login of the user has been answered since it has sessions.
    is_present: bool,
    /// The last announcement that was made, and the last that was shown.
    made: Change,
    shown: Change,
    /// Announcements between the two.
    unshown: usize,
    spacing: Spacing,
    /// When it is looked at again.
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
        let at_once = limits.at_once;
        Presence {
            users: BTreeMap::new(),
            waiting: BTreeSet::new(),
            share: Spacing::new(at_once, SHARE_TIME / at_once, now),
            blocked_until: None,
        }
    }

    /// One more session.
    pub(super) fn enter(&mut self, user: &UserName, now: Instant) -> JoinAnnouncement {
        let known = self.users.entry(user.clone()).or_insert_with(|| User {
            sessions: 0,
            is_present: false,
            made: Change::Left,
            shown: Change::Left,
            unshown: 0,
            spacing: Spacing::new(USER_AT_ONCE, USER_INTERVAL, now),
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
        if self.share.may(now) {
            return JoinAnnouncement::Needed;
        }
        self.schedule(user, now);
        JoinAnnouncement::NotNeeded
    }

    /// A login was not answered as one: its session does not count.
    pub(super) fn reject(&mut self, user: &UserName, now: Instant) {
        if self.leave(user, now) {
            self.schedule(user, now);
        }
    }

    /// A login is answered: the user is present from now on.
    pub(super) fn admit(&mut self, user: &UserName) {
        if let Some(known) = self.users.get_mut(user) {
            known.is_present = known.sessions > 0;
        }
    }

    /// One session fewer. Whether the user's `left` is to be made now.
    pub(super) fn leave(&mut self, user: &UserName, now: Instant) -> bool {
        let Some(known) = self.users.get_mut(user) else {
            return false;
        };
        known.sessions = known.sessions.saturating_sub(1);
        if known.sessions > 0 {
            return false;
        }
        known.is_present = false;
        let (made, next, full_at) = (known.made, known.spacing.next(), known.spacing.full_at());
        if made == Change::Left {
            self.schedule(user, full_at); // to be forgotten
            return false;
        }
        if next <= now && self.share.may(now) {
            return true;
        }
        self.schedule(user, next.max(now));
        false
    }

    /// An announcement was made; it is shown later.
    pub(super) fn made(&mut self, user: &UserName, change: Change, now: Instant) {
        let Some(known) = self.users.get_mut(user) else {
            return;
        };
        known.made = change;
        known.unshown += 1;
        known.spacing.take(now);
        let full_at = known.spacing.full_at();
        self.share.take(now);
        match change {
            Change::Joined => self.unschedule(user),
            Change::Left => self.schedule(user, full_at), // to be forgotten
        }
    }

    /// An announcement is shown.
    pub(super) fn shown(&mut self, user: &UserName, change: Change) {
        if let Some(known) = self.users.get_mut(user) {
            known.shown = change;
            known.unshown = known.unshown.saturating_sub(1);
        }
    }

    /// An announcement that was made is not shown, and never will be; nor is any that
    /// was made behind it.
    pub(super) fn undo(&mut self, user: &UserName, now: Instant) {
        let Some(known) = self.users.get_mut(user) else {
            return;
        };
        if known.unshown > 0 {
            known.unshown -= 1;
            known.spacing.give_back();
            self.share.give_back();
        }
        known.made = known.shown;
        self.schedule(user, now);
    }

    /// A `left` that was to be made cannot be: it is tried again.
    pub(super) fn postpone(&mut self, user: &UserName, now: Instant) {
        self.schedule(user, now);
    }

    /// The next announcement that is to be made now, see [`Presence::made`].
    pub(super) fn due(&mut self, now: Instant) -> Option<(UserName, Change)> {
        loop {
            let (at, _) = self.waiting.first()?;
            if *at > now {
                return None;
            }
            let (_, user) = self.waiting.first()?.clone();
            let known = self.users.get_mut(&user)?;
            let (is, full_at, is_shown) = (known.is(), known.spacing.full_at(), known.unshown == 0);
            if is != known.made {
                if self.share.may(now) {
                    self.unschedule(&user);
                    return Some((user, is));
                }
                self.blocked_until = Some(self.share.next());
                return None;
            }
            self.unschedule(&user);
            if is == Change::Joined {
                continue; // nothing is to be said of it
            }
            if full_at <= now && is_shown {
                self.users.remove(&user);
            } else {
                self.schedule(&user, full_at.max(now + USER_INTERVAL));
            }
        }
    }

    /// When to ask for what is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let (at, _) = self.waiting.first()?;
        Some(self.blocked_until.map_or(*at, |until| until.max(*at)))
    }

    /// The users who are present, in the order of their names.
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

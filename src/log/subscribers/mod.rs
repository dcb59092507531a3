//! The sessions of one thread that get only the broadcasts of some routes.
//!
//! The problem: a broadcast must cost work only for the sessions that it is for. Such a session is
//! not registered with the thread's notifier, and does not read the log. Instead the thread goes
//! once through the new broadcasts that have a route, finds the sessions that each is for, and
//! adds it to their pending broadcasts.
//!
//! A subscriber that reads slowly has a bounded number of pending broadcasts. Those behind them it
//! finds in the log's table of routes; so does one that begins behind the head.
//!
//! Invariants:
//! - a subscriber finds every broadcast of its routes once, in the order of seqs, or learns that
//!   it is no longer held;
//! - every broadcast up to `dispatched` that is for a subscriber is pending, was taken, or is behind
//!   its `unfound_behind`.

mod find;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use slab::Slab;
use smallvec::SmallVec;

use super::parts::Parts;
use super::routes::Entry;
use crate::topic::{Pattern, PatternIndex, Route, SubscriberId, SubscriptionId, Topic};
use crate::wire::{Gap, Seq};

/// The most pending broadcasts of a subscriber. What is behind them it finds in the table of routes.
const PENDING: usize = 64;

/// The subscribers of one thread.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    subscribers: Slab<Subscriber>,
    filters: PatternIndex,
    users: HashMap<Arc<str>, Vec<SubscriberId>>,
    presence: Vec<SubscriberId>,
    /// Broadcasts up to here were offered to the subscribers.
    dispatched: Seq,
}

/// A session that gets the broadcasts of some routes.
#[derive(Debug)]
struct Subscriber {
    user: Arc<str>,
    wants_presence: bool,
    filter: Vec<SubscriptionId>,
    /// Woken when there is a new pending broadcast.
    waker: Option<Waker>,
    /// Whether it was woken to tell its session that nothing was for it.
    is_passed_due: bool,
    pending: VecDeque<Entry>,
    /// Broadcasts behind this seq, up to `dispatched`, are not pending: they are still to be found.
    unfound_behind: Option<Seq>,
}

/// The broadcasts that a session with a filter gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection<'a> {
    /// Messages to this user are for it.
    pub user: &'a str,
    /// Messages with a topic that one of these patterns matches are for it.
    pub filter: &'a [Pattern<'a>],
    /// Whether presence changes are for it.
    pub presence: bool,
}

/// Frames with their seqs, in order.
pub type Frames = SmallVec<[(Seq, Bytes); 4]>;

/// The next thing for a subscriber.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Nothing up to this seq.
    Nothing(Seq),
    /// Broadcasts for it.
    Frames(Frames),
    /// Broadcasts that are no longer held, some of which may have been for it.
    Gap(Gap),
}

impl Subscribers {
    /// Adds a subscriber, for what is behind `after`.
    pub(super) fn add(&mut self, wanted: Selection<'_>, after: Seq, parts: &Parts) -> SubscriberId {
        if self.is_empty() {
            self.dispatched = parts.head();
        }
        let (user, wants_presence) = (Arc::from(wanted.user), wanted.presence);
        let index = self.subscribers.insert(Subscriber {
            user: Arc::clone(&user),
            wants_presence,
            filter: Vec::new(),
            waker: None,
            is_passed_due: false,
            pending: VecDeque::new(),
            unfound_behind: Some(after),
        });
        let id = SubscriberId(u32::try_from(index).expect("sessions are few"));
        self.users.entry(user).or_default().push(id);
        if wants_presence {
            self.presence.push(id);
        }
        let filter = wanted
            .filter
            .iter()
            .map(|pattern| self.filters.insert(pattern, id));
        self.subscribers[index].filter = filter.collect();
        id
    }

    /// Removes a subscriber.
    pub(super) fn remove(&mut self, id: SubscriberId) {
        let subscriber = self.subscribers.remove(id.0 as usize);
        for subscription in subscriber.filter {
            self.filters.remove(subscription);
        }
        self.presence.retain(|other| *other != id);
        if let Some(sessions) = self.users.get_mut(&subscriber.user) {
            sessions.retain(|other| *other != id);
            if sessions.is_empty() {
                self.users.remove(&subscriber.user);
            }
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.subscribers.is_empty()
    }

    /// Returns a subscriber's patterns.
    pub(super) fn filter(&self, id: SubscriberId) -> impl Iterator<Item = Pattern<'static>> + '_ {
        let filter = &self.subscribers[id.0 as usize].filter;
        filter.iter().map(|id| self.filters.pattern(*id))
    }

    /// Has a subscriber that was told of everything woken once, when there is something new for
    /// it. Returns whether it was woken to tell its session that nothing was for it.
    pub(super) fn register(&mut self, id: SubscriberId, waker: &Waker) -> bool {
        let subscriber = &mut self.subscribers[id.0 as usize];
        match &mut subscriber.waker {
            Some(known) => known.clone_from(waker),
            None => subscriber.waker = Some(waker.clone()),
        }
        std::mem::take(&mut subscriber.is_passed_due)
    }

    /// Returns the seq up to which a subscriber has taken everything; `None` if something is pending
    /// or was not searched for.
    pub(super) fn done_until(&self, id: SubscriberId) -> Option<Seq> {
        let subscriber = &self.subscribers[id.0 as usize];
        let behind = subscriber.unfound_behind;
        let is_searched = behind.is_none_or(|behind| behind >= self.dispatched);
        (is_searched && subscriber.pending.is_empty()).then_some(self.dispatched)
    }

    /// Returns the count of the stream's bytes before a subscriber's first pending broadcast.
    pub(super) fn position(&self, id: SubscriberId, parts: &Parts) -> u64 {
        let first = self.subscribers[id.0 as usize].pending.front();
        let part = first.and_then(|first| Some((parts.get(first.part)?, first.offset)));
        part.map_or(parts.end(), |(part, offset)| part.start + u64::from(offset))
    }

    /// Has all subscribers that wait tell their sessions how far the stream is. Adds their wakers.
    pub(super) fn make_passed_due(&mut self, wakers: &mut Vec<Waker>) {
        for (_, subscriber) in &mut self.subscribers {
            if let Some(waker) = subscriber.waker.take() {
                subscriber.is_passed_due = true;
                wakers.push(waker);
            }
        }
    }

    /// Offers the new broadcasts to the subscribers. Adds the wakers of those that are to be woken.
    /// Returns whether the head has moved.
    pub(super) fn dispatch(&mut self, parts: &Parts, wakers: &mut Vec<Waker>) -> bool {
        let Subscribers {
            subscribers,
            filters,
            users,
            presence,
            dispatched,
        } = self;
        if dispatched.next() < parts.tail() {
            // The log has dropped broadcasts before they were offered: each subscriber finds a gap.
            for (_, subscriber) in &mut *subscribers {
                subscriber.unfound_behind.get_or_insert(*dispatched);
                wakers.extend(subscriber.waker.take());
            }
        }
        for entry in parts.routes().after(*dispatched) {
            let mut offer = |id: SubscriberId| {
                let subscriber = &mut subscribers[id.0 as usize];
                subscriber.offer(entry);
                wakers.extend(subscriber.waker.take());
            };
            match parts.routes().route(entry.route) {
                Route::Topic(topic) => {
                    filters.matches(Some(&Topic::of_checked(topic)), |_, id| offer(id));
                }
                Route::User(user) => users
                    .get(user)
                    .into_iter()
                    .flatten()
                    .copied()
                    .for_each(offer),
                Route::Presence => presence.iter().copied().for_each(offer),
            }
        }
        std::mem::replace(dispatched, parts.head()) < parts.head()
    }
}

impl Subscriber {
    /// Adds a broadcast, unless it was added for another pattern.
    fn offer(&mut self, entry: Entry) {
        if self.unfound_behind.is_some() {
            return;
        }
        match self.pending.back() {
            Some(last) if last.seq == entry.seq => {}
            Some(last) if self.pending.len() >= PENDING => self.unfound_behind = Some(last.seq),
            _ => self.pending.push_back(entry),
        }
    }
}

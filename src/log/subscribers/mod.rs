//! The sessions of one thread that get only the broadcasts of some routes.
//!
//! The problem: a broadcast must cost work only for the sessions that it is for. Such a session is
//! not registered with the thread's notifier, and does not read the log. Instead the thread goes
//! once through the new broadcasts that have a route, finds the sessions that each is for, and
//! adds it to their pending broadcasts.
//!
//! Sessions with the same filter are a [group](group::Group), which holds a bounded number of broadcasts for
//! its members. A member that is further behind finds the others in the log's table of routes; so does
//! one that begins behind the head.
//!
//! Invariant: a subscriber finds every broadcast that is for it once, in the order of seqs, or learns
//! that it is no longer held.

mod find;
mod group;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use slab::Slab;

use self::group::Groups;
pub(super) use self::group::MemberId;
use super::frames::Frames;
use super::parts::Parts;
use super::routes::Entry;
use crate::topic::{Pattern, Route, SubscriberId};
use crate::wire::{Gap, Seq};

/// The most messages to a subscriber's own user that are held for it. What is before them it finds in
/// the table of routes.
const DIRECT: usize = 64;

/// The subscribers of one thread.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    subscribers: Slab<Subscriber>,
    groups: Groups,
    users: HashMap<Arc<str>, Vec<MemberId>>,
    /// Broadcasts up to here were offered to the subscribers.
    dispatched: Seq,
    /// Those that are to be woken, in order.
    due: VecDeque<MemberId>,
    /// The frames that a member of a group has got last. The others want the same ones.
    shared: Option<(SubscriberId, Frames)>,
}

/// A session that gets the broadcasts of some routes.
#[derive(Debug)]
struct Subscriber {
    user: Arc<str>,
    group: SubscriberId,
    /// Woken when there is something new for it.
    waker: Option<Waker>,
    /// Whether its group has it woken for the next broadcast.
    is_waiting: bool,
    /// Whether it is among those to be woken.
    is_due: bool,
    /// Whether it is to tell its session once nothing more is for it.
    is_passed_due: bool,
    /// It has everything up to here that is for it.
    read: Seq,
    /// The newest messages to its user.
    direct: VecDeque<Entry>,
    /// Those up to this seq are not in `direct`.
    direct_after: Seq,
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

/// The next thing for a subscriber.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Nothing up to this seq.
    Nothing(Seq),
    /// Nothing so far, and there is more to search.
    Searched,
    /// Broadcasts for it.
    Frames(Frames),
    /// Broadcasts that are no longer held, some of which may have been for it.
    Gap(Gap),
}

impl Subscribers {
    /// Adds a subscriber, for what is behind `after`.
    pub(super) fn add(&mut self, wanted: Selection<'_>, after: Seq, parts: &Parts) -> MemberId {
        if self.is_empty() {
            self.dispatched = parts.head();
        }
        let user: Arc<str> = Arc::from(wanted.user);
        let offered = self.dispatched;
        let index = self.subscribers.insert(Subscriber {
            user: Arc::clone(&user),
            group: self.groups.join(wanted.filter, wanted.presence, offered),
            waker: None,
            is_waiting: false,
            is_due: false,
            is_passed_due: false,
            read: after,
            direct: VecDeque::new(),
            direct_after: offered,
        });
        let id = member(index);
        self.users.entry(user).or_default().push(id);
        id
    }

    /// Removes a subscriber.
    pub(super) fn remove(&mut self, id: MemberId) {
        let subscriber = self.subscribers.remove(id.0 as usize);
        if self.groups.leave(subscriber.group, id) {
            self.shared = None; // the next group may have the same id
        }
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
    pub(super) fn filter(
        &self,
        id: MemberId,
    ) -> impl ExactSizeIterator<Item = Pattern<'static>> + '_ {
        self.groups.filter(self.get(id).group)
    }

    /// Has a subscriber that found nothing more woken once, when there is something new for it.
    pub(super) fn register(&mut self, id: MemberId, waker: &Waker) {
        let subscriber = &mut self.subscribers[id.0 as usize];
        subscriber.read = subscriber.read.max(self.dispatched);
        match &mut subscriber.waker {
            Some(known) => known.clone_from(waker),
            None => subscriber.waker = Some(waker.clone()),
        }
        if !std::mem::replace(&mut subscriber.is_waiting, true)
            && self.groups.get_mut(subscriber.group).wait(id)
        {
            self.shared.take_if(|(group, _)| *group == subscriber.group);
        }
    }

    /// Whether a subscriber is to tell its session once nothing more is for it.
    pub(super) fn is_passed_due(&self, id: MemberId) -> bool {
        self.get(id).is_passed_due
    }

    /// Returns whether a subscriber that found nothing is to tell its session so. Resets it.
    pub(super) fn take_passed_due(&mut self, id: MemberId) -> bool {
        let subscriber = &mut self.subscribers[id.0 as usize];
        std::mem::take(&mut subscriber.is_passed_due)
    }

    /// Returns the seq up to which a subscriber has taken everything; `None` if there is more for it,
    /// or may be.
    pub(super) fn done_until(&self, id: MemberId) -> Option<Seq> {
        let has_all = !self.must_search(id) && self.pending(id).next().is_none();
        has_all.then_some(self.dispatched)
    }

    /// Returns the count of the stream's bytes before what comes next for a subscriber.
    pub(super) fn position(&self, id: MemberId, parts: &Parts) -> u64 {
        if self.must_search(id) {
            let (_, _, position) = parts.position_after(self.get(id).read);
            return position.max(parts.tail_position().1);
        }
        let next = self.pending(id).next();
        let part = next.and_then(|next| Some((parts.get(next.part)?, next.offset)));
        part.map_or(parts.end(), |(part, offset)| part.start + u64::from(offset))
    }

    /// Has all subscribers tell their sessions how far the stream is once they find nothing more.
    /// Those that wait are woken; the others are about to read.
    pub(super) fn make_passed_due(&mut self) {
        for (index, subscriber) in &mut self.subscribers {
            subscriber.is_passed_due = true;
            subscriber.make_due(member(index), &mut self.due);
        }
    }

    /// Takes the wakers of at most `count` of those that are to be woken. Call them without the lock.
    pub(super) fn take_wakers(&mut self, count: usize) -> Vec<Waker> {
        let due = self.due.drain(..count.min(self.due.len()));
        let subscribers = &mut self.subscribers;
        let wakers = due.filter_map(|id| {
            let subscriber = subscribers.get_mut(id.0 as usize)?; // it may have gone
            subscriber.is_due = false;
            subscriber.waker.take()
        });
        wakers.collect()
    }

    /// Whether subscribers are to be woken.
    pub(super) fn has_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Offers the new broadcasts to the subscribers, and has those woken that they are for. Returns
    /// whether the head has moved.
    pub(super) fn dispatch(&mut self, parts: &Parts) -> bool {
        let tail = parts.tail();
        if self.dispatched.next() < tail {
            self.miss_through(Seq(tail.0 - 1));
        }
        let Subscribers {
            subscribers,
            groups,
            users,
            dispatched,
            due,
            ..
        } = self;
        for entry in parts.routes().after(*dispatched) {
            let route = parts.routes().route(entry.route);
            if let Route::User(user) = route {
                for id in users.get(user).into_iter().flatten() {
                    let subscriber = &mut subscribers[id.0 as usize];
                    subscriber.offer_direct(entry);
                    subscriber.make_due(*id, due);
                }
            }
            groups.offer(entry, route, |id| {
                let subscriber = &mut subscribers[id.0 as usize];
                subscriber.is_waiting = false;
                subscriber.make_due(id, due);
            });
        }
        std::mem::replace(dispatched, parts.head()) < parts.head()
    }

    /// Has each subscriber find out that the log has dropped broadcasts up to `seq` before they were
    /// offered.
    fn miss_through(&mut self, seq: Seq) {
        for (index, subscriber) in &mut self.subscribers {
            subscriber.direct.retain(|entry| entry.seq > seq);
            subscriber.direct_after = subscriber.direct_after.max(seq);
            subscriber.make_due(member(index), &mut self.due);
        }
        self.groups.forget_through(seq);
    }

    fn get(&self, id: MemberId) -> &Subscriber {
        &self.subscribers[id.0 as usize]
    }
}

fn member(index: usize) -> MemberId {
    MemberId(u32::try_from(index).expect("sessions are few"))
}

impl Subscriber {
    /// Has the subscriber woken, if it waits.
    fn make_due(&mut self, id: MemberId, due: &mut VecDeque<MemberId>) {
        if self.waker.is_some() && !std::mem::replace(&mut self.is_due, true) {
            due.push_back(id);
        }
    }

    /// Adds a message to the subscriber's user.
    fn offer_direct(&mut self, entry: Entry) {
        if self.direct.len() >= DIRECT
            && let Some(oldest) = self.direct.pop_front()
        {
            self.direct_after = oldest.seq;
        }
        self.direct.push_back(entry);
    }

    /// Notes that it has everything up to a seq.
    fn note_read(&mut self, seq: Seq) {
        self.read = self.read.max(seq);
        while self.direct.front().is_some_and(|entry| entry.seq <= seq) {
            self.direct.pop_front();
        }
        if self.direct.is_empty() {
            self.direct = VecDeque::new(); // it gets few such messages
        }
    }
}

//! Finds the next broadcasts of a subscriber.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::HashMap;

use super::{Frames, Next, Subscribers};
use crate::log::parts::Parts;
use crate::log::routes::{Entry, RouteId, RouteTable};
use crate::topic::{Pattern, Route, SubscriberId, Topic};
use crate::wire::{Gap, Seq};

/// The most broadcasts that are found at once.
const AT_ONCE: usize = 64;

impl Subscribers {
    /// Takes what is next for a subscriber: frames of about `bytes` bytes in total, at least one.
    /// Call [`Subscribers::dispatch`] before it.
    pub(in crate::log) fn next(&mut self, id: SubscriberId, parts: &Parts, bytes: usize) -> Next {
        let tail = parts.tail();
        let subscriber = &mut self.subscribers[id.0 as usize];
        let pending = &mut subscriber.pending;
        if let Some(first) = pending.front()
            && first.seq < tail
        {
            let (from, mut to) = (first.seq, first.seq);
            while let Some(lost) = pending.front().filter(|entry| entry.seq < tail) {
                to = lost.seq;
                pending.pop_front();
            }
            return Next::Gap(Gap { from, to });
        }
        if pending.is_empty() {
            match self.search(id, parts) {
                Search::Nothing => return Next::Nothing(self.dispatched),
                Search::Gap(gap) => return Next::Gap(gap),
                Search::Found => {}
            }
        }
        Next::Frames(self.take_pending(id, parts, bytes))
    }

    fn take_pending(&mut self, id: SubscriberId, parts: &Parts, bytes: usize) -> Frames {
        let pending = &mut self.subscribers[id.0 as usize].pending;
        let (mut frames, mut gathered) = (Frames::new(), 0);
        while gathered < bytes
            && let Some(entry) = pending.pop_front()
        {
            let frame = parts.frame(entry.part, entry.offset as usize);
            gathered += frame.len();
            frames.push((entry.seq, frame));
        }
        frames
    }

    /// Searches the table of routes for what was dispatched and is not pending, and makes it pending.
    fn search(&mut self, id: SubscriberId, parts: &Parts) -> Search {
        let until = self.dispatched;
        let subscriber = &mut self.subscribers[id.0 as usize];
        let Some(behind) = subscriber.unfound_behind.filter(|behind| *behind < until) else {
            subscriber.unfound_behind = None;
            return Search::Nothing;
        };
        let subscriber = &self.subscribers[id.0 as usize];
        let tail = parts.tail();
        let (search, reached, entries) = if behind.next() < tail {
            let gap = Gap {
                from: behind.next(),
                to: Seq(tail.0 - 1),
            };
            (Search::Gap(gap), gap.to, Vec::new())
        } else {
            let filter: Vec<Pattern<'_>> = self.filter(id).collect();
            let wanted = Wanted {
                table: parts.routes(),
                filter: &filter,
                user: &subscriber.user,
                wants_presence: subscriber.wants_presence,
            };
            let mut entries = wanted.behind(behind);
            entries.retain(|entry| entry.seq <= until);
            match entries.last() {
                Some(last) => (Search::Found, last.seq, entries),
                None => (Search::Nothing, until, entries),
            }
        };
        let subscriber = &mut self.subscribers[id.0 as usize];
        subscriber.pending.extend(entries);
        subscriber.unfound_behind = (reached < self.dispatched).then_some(reached);
        search
    }
}

/// The result of a search.
#[derive(Debug, PartialEq)]
enum Search {
    /// There is nothing more.
    Nothing,
    /// There is more, which is pending now.
    Found,
    /// These broadcasts are no longer held.
    Gap(Gap),
}

/// The held broadcasts that a subscriber wants.
struct Wanted<'a> {
    table: &'a RouteTable,
    filter: &'a [Pattern<'a>],
    user: &'a str,
    wants_presence: bool,
}

impl Wanted<'_> {
    /// Returns the first entries behind `after`, at most [`AT_ONCE`].
    fn behind(&self, after: Seq) -> Vec<Entry> {
        let has_wildcard = self.filter.iter().any(Pattern::has_wildcard);
        if has_wildcard || self.filter.len() > self.table.count_after(after) {
            self.by_scan(after)
        } else {
            self.by_merge(after)
        }
    }

    /// Goes through all entries, and judges each route once.
    fn by_scan(&self, after: Seq) -> Vec<Entry> {
        let mut verdicts: HashMap<RouteId, bool> = HashMap::new();
        let mut is_wanted = |id: RouteId| {
            *verdicts
                .entry(id)
                .or_insert_with(|| match self.table.route(id) {
                    Route::Presence => self.wants_presence,
                    Route::User(user) => user == self.user,
                    Route::Topic(topic) => self
                        .filter
                        .iter()
                        .any(|pattern| pattern.matches(&Topic::of_checked(topic))),
                })
        };
        let entries = self.table.after(after);
        let wanted = entries.filter(|entry| is_wanted(entry.route));
        wanted.take(AT_ONCE).collect()
    }

    /// Merges the lists of its routes, none of which is of a pattern with a wildcard.
    fn by_merge(&self, after: Seq) -> Vec<Entry> {
        let topics = self
            .filter
            .iter()
            .map(|pattern| Route::Topic(pattern.as_str()));
        let presence = self.wants_presence.then_some(Route::Presence);
        let routes = topics.chain([Route::User(self.user)]).chain(presence);
        let mut ids: Vec<RouteId> = routes.filter_map(|route| self.table.find(route)).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut lists: Vec<_> = ids
            .iter()
            .map(|id| self.table.of_route(*id, after))
            .collect();
        let mut heads: BinaryHeap<Reverse<(Seq, usize)>> = BinaryHeap::new();
        let mut next: Vec<Option<Entry>> = lists.iter_mut().map(Iterator::next).collect();
        heads.extend(
            next.iter()
                .enumerate()
                .filter_map(|(list, entry)| entry.map(|entry| Reverse((entry.seq, list)))),
        );
        let mut merged = Vec::new();
        while merged.len() < AT_ONCE
            && let Some(Reverse((_, list))) = heads.pop()
        {
            merged.extend(next[list].take());
            next[list] = lists[list].next();
            heads.extend(next[list].map(|entry| Reverse((entry.seq, list))));
        }
        merged
    }
}

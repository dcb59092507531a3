//! Finds the next broadcasts of a subscriber.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::HashMap;

use super::{Frames, MemberId, Next, Subscribers};
use crate::log::parts::Parts;
use crate::log::routes::{Entry, RouteId, RouteTable};
use crate::topic::{Pattern, Route, Topic};
use crate::wire::{Gap, Seq};

/// The most broadcasts that a search finds at once.
const FOUND: usize = 64;

/// The most entries of the table of routes that a search goes through at once.
const SEARCHED: usize = 16 * 1024;

impl Subscribers {
    /// Takes what is next for a subscriber: frames of about `bytes` bytes in total, at least one.
    /// Call [`Subscribers::dispatch`] before it.
    pub(in crate::log) fn next(&mut self, id: MemberId, parts: &Parts, bytes: usize) -> Next {
        if self.must_search(id) {
            return self.search(id, parts, bytes);
        }
        if let Some(gap) = self.lost(id, parts.tail()) {
            self.subscribers[id.0 as usize].note_read(gap.to);
            return Next::Gap(gap);
        }
        let frames = self.pending_frames(id, parts, bytes);
        let Some(last) = frames.last() else {
            return Next::Nothing(self.dispatched);
        };
        self.subscribers[id.0 as usize].note_read(last);
        Next::Frames(frames)
    }

    /// Whether some broadcasts that were offered to a subscriber are not held for it.
    pub(super) fn must_search(&self, id: MemberId) -> bool {
        self.get(id).read < self.complete_after(id)
    }

    /// Returns the seq behind which all broadcasts that were offered to a subscriber are held for it.
    fn complete_after(&self, id: MemberId) -> Seq {
        let subscriber = self.get(id);
        let group = self.groups.get(subscriber.group);
        group.complete_after().max(subscriber.direct_after)
    }

    /// Returns the broadcasts that are held for a subscriber and that it has not taken, in order.
    pub(super) fn pending(&self, id: MemberId) -> impl Iterator<Item = Entry> + '_ {
        let subscriber = self.get(id);
        let read = subscriber.read;
        let group = self.groups.get(subscriber.group).behind(read);
        let direct = subscriber.direct.iter().copied();
        let direct = direct.skip_while(move |entry| entry.seq <= read);
        merge(group, direct)
    }

    /// Returns the first and the last of the broadcasts for a subscriber that the log no longer holds.
    fn lost(&self, id: MemberId, tail: Seq) -> Option<Gap> {
        let mut lost = self.pending(id).take_while(|entry| entry.seq < tail);
        let from = lost.next()?.seq;
        let to = lost.last().map_or(from, |last| last.seq);
        Some(Gap { from, to })
    }

    /// Returns the frames that are held for a subscriber, about `bytes` bytes in total.
    fn pending_frames(&mut self, id: MemberId, parts: &Parts, bytes: usize) -> Frames {
        let subscriber = self.get(id);
        let group = self.groups.get(subscriber.group);
        if !group.is_shared() || !subscriber.direct.is_empty() {
            return Frames::of_entries(self.pending(id), parts, bytes);
        }
        let first = group.behind(subscriber.read).next().map(|entry| entry.seq);
        let of = subscriber.group;
        if let Some((group, frames)) = &self.shared
            && *group == of
            && frames.first() == first
        {
            return frames.clone();
        }
        let frames = Frames::of_entries(self.pending(id), parts, bytes).joined();
        self.shared = Some((of, frames.clone()));
        frames
    }

    /// Searches the table of routes for what is not held for a subscriber.
    fn search(&mut self, id: MemberId, parts: &Parts, bytes: usize) -> Next {
        let behind = self.get(id).read;
        let tail = parts.tail();
        if behind.next() < tail {
            let gap = Gap {
                from: behind.next(),
                to: Seq(tail.0 - 1),
            };
            self.subscribers[id.0 as usize].note_read(gap.to);
            return Next::Gap(gap);
        }
        let until = self.complete_after(id);
        let subscriber = self.get(id);
        let filter: Vec<Pattern<'_>> = self.filter(id).collect();
        let wanted = Wanted {
            table: parts.routes(),
            filter: &filter,
            user: &subscriber.user,
            wants_presence: self.groups.get(subscriber.group).wants_presence(),
        };
        let (entries, searched) = wanted.between(behind, until);
        let frames = Frames::of_entries(entries.into_iter(), parts, bytes);
        let last = frames.last();
        self.subscribers[id.0 as usize].note_read(last.unwrap_or(searched));
        match last {
            Some(_) => Next::Frames(frames),
            None => Next::Searched,
        }
    }
}

/// Merges two sequences of entries, each in order.
fn merge(
    one: impl Iterator<Item = Entry>,
    other: impl Iterator<Item = Entry>,
) -> impl Iterator<Item = Entry> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(first), Some(second)) if second.seq < first.seq => other.next(),
        (Some(_), _) => one.next(),
        (None, _) => other.next(),
    })
}

/// The held broadcasts that a subscriber wants.
struct Wanted<'a> {
    table: &'a RouteTable,
    filter: &'a [Pattern<'a>],
    user: &'a str,
    wants_presence: bool,
}

impl Wanted<'_> {
    /// Returns the first entries behind `after`, up to `until`, at most [`FOUND`]. If there is none,
    /// also returns the seq up to which there is none.
    fn between(&self, after: Seq, until: Seq) -> (Vec<Entry>, Seq) {
        let has_wildcard = self.filter.iter().any(Pattern::has_wildcard);
        if has_wildcard || self.filter.len() > self.table.count_after(after) {
            self.by_scan(after, until)
        } else {
            let mut entries = self.by_merge(after);
            entries.retain(|entry| entry.seq <= until);
            (entries, until)
        }
    }

    /// Goes through all entries, and judges each route once.
    fn by_scan(&self, after: Seq, until: Seq) -> (Vec<Entry>, Seq) {
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
        let (mut searched, mut found) = (after, Vec::new());
        let entries = self.table.after(after);
        let mut entries = entries.take_while(|entry| entry.seq <= until);
        for entry in entries.by_ref().take(SEARCHED) {
            searched = entry.seq;
            if is_wanted(entry.route) {
                found.push(entry);
                if found.len() == FOUND {
                    break;
                }
            }
        }
        let is_over = entries.next().is_none();
        (found, if is_over { until } else { searched })
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
        while merged.len() < FOUND
            && let Some(Reverse((_, list))) = heads.pop()
        {
            merged.extend(next[list].take());
            next[list] = lists[list].next();
            heads.extend(next[list].map(|entry| Reverse((entry.seq, list))));
        }
        merged
    }
}

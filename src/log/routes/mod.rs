//! The held broadcasts that not every session gets, found by the sessions that they are for.
//!
//! The problem: a session that follows some topics must find its messages among all that are held
//! without a look at the others, and a message that every session gets must cost nothing here.
//!
//! A broadcast that not every session gets has a [`Route`]. The table has an entry for each such
//! broadcast, in the order of the seqs, and a list of its entries for each route. A message
//! without a topic has no route and no entry: the sessions that get it read the log from end to
//! end.
//!
//! Invariants: the entries' seqs rise; a route is known exactly as long as one of its entries is
//! held; an entry is removed with the log's part that holds its frame.

mod lists;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

pub(super) use self::lists::RouteId;
use self::lists::RouteLists;
use crate::topic::Route;
use crate::wire::Seq;

/// The position of a broadcast's frame in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) seq: Seq,
    /// The number of the part that holds the frame.
    pub(super) part: u64,
    /// The frame's offset in the part.
    pub(super) offset: u32,
    pub(super) route: RouteId,
}

/// The entries of all held broadcasts that have a route.
#[derive(Debug, Default)]
pub(super) struct RouteTable {
    /// Broadcasts up to here that have a route are not held.
    dropped_to: Seq,
    /// Broadcasts up to here that are for one user are not held, and there may have been some.
    dropped_direct_to: Seq,
    entries: VecDeque<Entry>,
    /// The number of the entry at the front. Entries are numbered from 0, in the order of seqs.
    first_number: u64,
    lists: RouteLists,
}

impl RouteTable {
    /// Creates an empty table of what is behind `after`.
    pub(super) fn behind(after: Seq) -> RouteTable {
        RouteTable {
            dropped_to: after,
            dropped_direct_to: after,
            ..RouteTable::default()
        }
    }

    /// Adds the newest broadcast.
    pub(super) fn push(&mut self, seq: Seq, part: u64, offset: u32, route: Route<'_>) {
        let number = self.first_number + self.entries.len() as u64;
        let route = self.lists.push(route, number);
        self.entries.push_back(Entry {
            seq,
            part,
            offset,
            route,
        });
    }

    /// Removes the entries of a part and of all earlier parts.
    pub(super) fn drop_through(&mut self, part: u64) {
        while let Some(entry) = self.entries.front()
            && entry.part <= part
        {
            self.lists.pop(entry.route);
            self.dropped_to = entry.seq;
            if matches!(entry.route, RouteId::User(_)) {
                self.dropped_direct_to = entry.seq;
            }
            self.entries.pop_front();
            self.first_number += 1;
        }
        if self.entries.is_empty() {
            self.entries = VecDeque::new();
        }
    }

    /// Returns the memory that the table needs, in bytes, about.
    pub(super) fn cost(&self) -> usize {
        size_of::<Entry>() * self.entries.len() + self.lists.cost(self.entries.len())
    }

    /// Returns the entries behind `after`, in order.
    pub(super) fn after(&self, after: Seq) -> impl Iterator<Item = Entry> + '_ {
        let index = self.entries.partition_point(|entry| entry.seq <= after);
        self.entries.range(index..).copied()
    }

    /// Returns the `most` newest entries, in order, and the seq behind which these are all.
    pub(super) fn newest(&self, most: usize) -> (Seq, impl Iterator<Item = Entry> + '_) {
        let index = self.entries.len().saturating_sub(most);
        let before = index.checked_sub(1).map(|before| self.entries[before].seq);
        let behind = before.unwrap_or(self.dropped_to);
        (behind, self.entries.range(index..).copied())
    }

    /// Returns the newest seq up to `until` of a broadcast that is for one user, or may be.
    pub(super) fn newest_direct(&self, until: Seq) -> Seq {
        let numbers = self.lists.for_users();
        let index = numbers.partition_point(|number| self.entry(*number).seq <= until);
        let newest = index
            .checked_sub(1)
            .map(|index| self.entry(numbers[index]).seq);
        newest.unwrap_or(self.dropped_direct_to)
    }

    /// Returns the count of entries behind `after`.
    pub(super) fn count_after(&self, after: Seq) -> usize {
        self.entries.len() - self.entries.partition_point(|entry| entry.seq <= after)
    }

    /// Returns the entries of one route behind `after`, in order.
    pub(super) fn of_route(&self, route: RouteId, after: Seq) -> impl Iterator<Item = Entry> + '_ {
        let numbers = self.lists.numbers(route);
        let index = numbers.partition_point(|number| self.entry(*number).seq <= after);
        numbers.range(index..).map(|number| self.entry(*number))
    }

    /// Returns the oldest entry behind `after` that is for one user, and not for `user`.
    pub(super) fn first_hidden(&self, after: Seq, user: Option<&str>) -> Option<Entry> {
        let numbers = self.lists.for_users();
        if numbers.is_empty() {
            return None;
        }
        let own = user.and_then(|user| self.find(Route::User(user)));
        let index = numbers.partition_point(|number| self.entry(*number).seq <= after);
        let mut entries = numbers.range(index..).map(|number| self.entry(*number));
        entries.find(|entry| Some(entry.route) != own)
    }

    /// Returns each topic with the count of its broadcasts and the seq of the newest one, in no
    /// order.
    pub(super) fn topics(&self) -> impl Iterator<Item = (&str, usize, Seq)> {
        self.lists.topics().map(|(topic, numbers)| {
            let newest = numbers.back().map(|number| self.entry(*number).seq);
            (topic, numbers.len(), newest.unwrap_or(Seq::ZERO))
        })
    }

    /// Returns the id of a route; `None` if no broadcast of the route is held.
    pub(super) fn find(&self, route: Route<'_>) -> Option<RouteId> {
        self.lists.find(route)
    }

    /// Returns the route with an id.
    pub(super) fn route(&self, id: RouteId) -> Route<'_> {
        self.lists.route(id)
    }

    fn entry(&self, number: u64) -> Entry {
        let index = usize::try_from(number - self.first_number).expect("it is held");
        self.entries[index]
    }
}

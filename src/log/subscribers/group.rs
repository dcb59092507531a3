//! Sessions with the same filter.
//!
//! The problem: many sessions may have the same filter. Finding what is for them, and gathering it,
//! must not cost each of them what it costs one.
//!
//! So the sessions of a thread with the same filter are a group. A broadcast is offered to the
//! group, and each member has a place among the group's newest broadcasts.
//!
//! Invariant: every broadcast of the group's routes that was offered, behind `complete_after`, is in
//! `entries`.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as TableEntry;
use slab::Slab;

use crate::log::routes::Entry;
use crate::topic::{Pattern, PatternIndex, Route, SubscriberId, SubscriptionId, Topic};
use crate::wire::Seq;

/// The most entries that a group of one member holds. What is before them it finds in the table of
/// routes.
const ENTRIES: usize = 256;

/// The most entries that a group holds, however many members it has.
const SHARED_ENTRIES: usize = 4096;

/// A group without broadcasts that a member has still to read has memory for this many entries.
const IDLE_ENTRIES: usize = 4;

/// Identifies a subscriber of one thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::log) struct MemberId(pub(super) u32);

/// The groups of one thread, found by the topics that their filters match.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: Slab<Group>,
    filters: PatternIndex,
    by_filter: HashTable<SubscriberId>,
    /// Keyed at random, as clients choose the filters.
    hasher: RandomState,
    /// The groups that want presence changes.
    presence: Vec<SubscriberId>,
}

/// Members that get the same broadcasts, but for those to their own users.
#[derive(Debug)]
pub(super) struct Group {
    filter: Vec<SubscriptionId>,
    wants_presence: bool,
    members: usize,
    /// The members that have read everything. Each is woken for the next entry, unless it was woken
    /// for something else.
    waiting: Vec<MemberId>,
    /// The newest broadcasts, oldest first.
    entries: VecDeque<Entry>,
    /// Those up to this seq are not in `entries`.
    complete_after: Seq,
}

impl Groups {
    /// Adds a member to the group with this filter, which has been offered everything up to
    /// `offered` if it is new.
    pub(super) fn join(
        &mut self,
        filter: &[Pattern<'_>],
        presence: bool,
        offered: Seq,
    ) -> SubscriberId {
        let Groups {
            groups,
            filters,
            by_filter,
            hasher,
            presence: presence_groups,
        } = self;
        let hash = hash_of(hasher, filter.iter().cloned(), presence);
        let is_same = |id: &SubscriberId| {
            let group = &groups[id.0 as usize];
            group.wants_presence == presence
                && group.filter.len() == filter.len()
                && std::iter::zip(group.patterns(filters), filter)
                    .all(|(one, other)| one.as_str() == other.as_str())
        };
        let rehash = |id: &SubscriberId| {
            let group = &groups[id.0 as usize];
            hash_of(hasher, group.patterns(filters), group.wants_presence)
        };
        let place = match by_filter.entry(hash, is_same, rehash) {
            TableEntry::Occupied(found) => {
                let id = *found.get();
                groups[id.0 as usize].members += 1;
                return id;
            }
            TableEntry::Vacant(place) => place,
        };
        let id = SubscriberId(u32::try_from(groups.vacant_key()).expect("sessions are few"));
        place.insert(id);
        if presence {
            presence_groups.push(id);
        }
        let filter = filter.iter().map(|pattern| filters.insert(pattern, id));
        groups.insert(Group {
            filter: filter.collect(),
            wants_presence: presence,
            members: 1,
            waiting: Vec::new(),
            entries: VecDeque::new(),
            complete_after: offered,
        });
        id
    }

    /// Removes a member. Returns whether it was the group's last one, and the group is no more.
    pub(super) fn leave(&mut self, id: SubscriberId, member: MemberId) -> bool {
        let group = &mut self.groups[id.0 as usize];
        group.members -= 1;
        if group.members > 0 {
            group.waiting.retain(|other| *other != member);
            group.drop_read();
            return false;
        }
        let hash = hash_of(
            &self.hasher,
            group.patterns(&self.filters),
            group.wants_presence,
        );
        if let Ok(found) = self.by_filter.find_entry(hash, |other| *other == id) {
            found.remove();
        }
        let group = self.groups.remove(id.0 as usize);
        if group.wants_presence {
            self.presence.retain(|other| *other != id);
        }
        for subscription in group.filter {
            self.filters.remove(subscription);
        }
        true
    }

    /// Returns the patterns of a group's filter.
    pub(super) fn filter(
        &self,
        id: SubscriberId,
    ) -> impl ExactSizeIterator<Item = Pattern<'static>> + '_ {
        self.get(id).patterns(&self.filters)
    }

    pub(super) fn get(&self, id: SubscriberId) -> &Group {
        &self.groups[id.0 as usize]
    }

    pub(super) fn get_mut(&mut self, id: SubscriberId) -> &mut Group {
        &mut self.groups[id.0 as usize]
    }

    /// Offers a broadcast to the groups that it is for. Calls `wake` for each member that is to be
    /// woken.
    pub(super) fn offer(&mut self, entry: Entry, route: Route<'_>, mut wake: impl FnMut(MemberId)) {
        let groups = &mut self.groups;
        let mut offer = |id: SubscriberId| groups[id.0 as usize].offer(entry, &mut wake);
        match route {
            Route::Topic(topic) => {
                let topic = Topic::of_checked(topic);
                self.filters.matches(Some(&topic), |_, id| offer(id));
            }
            Route::Presence => self.presence.iter().copied().for_each(offer),
            Route::User(_) => {}
        }
    }

    /// Has every group hold nothing up to a seq.
    pub(super) fn forget_through(&mut self, seq: Seq) {
        for (_, group) in &mut self.groups {
            group.forget_through(seq);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
            && self.filters.is_empty()
            && self.by_filter.is_empty()
            && self.presence.is_empty()
    }
}

impl Group {
    fn patterns<'a>(
        &'a self,
        filters: &'a PatternIndex,
    ) -> impl ExactSizeIterator<Item = Pattern<'static>> + 'a {
        self.filter.iter().map(|id| filters.pattern(*id))
    }

    pub(super) fn wants_presence(&self) -> bool {
        self.wants_presence
    }

    /// Whether there is more than one member.
    pub(super) fn is_shared(&self) -> bool {
        self.members > 1
    }

    /// Returns the seq behind which all broadcasts that were offered are held.
    pub(super) fn complete_after(&self) -> Seq {
        self.complete_after
    }

    /// Returns the broadcasts behind `read`, in order.
    pub(super) fn behind(&self, read: Seq) -> impl Iterator<Item = Entry> + '_ {
        let index = match self.entries.front() {
            Some(first) if first.seq <= read => {
                self.entries.partition_point(|entry| entry.seq <= read)
            }
            _ => 0,
        };
        self.entries.range(index..).copied()
    }

    /// Notes that a member has read everything, and has it woken for the next broadcast. Returns
    /// whether all members have read everything.
    pub(super) fn wait(&mut self, member: MemberId) -> bool {
        self.waiting.push(member);
        self.drop_read()
    }

    /// Adds a broadcast, unless it was added for another pattern.
    fn offer(&mut self, entry: Entry, wake: impl FnMut(MemberId)) {
        if self
            .entries
            .back()
            .is_some_and(|last| last.seq == entry.seq)
        {
            return;
        }
        let most = ENTRIES.saturating_mul(self.members).min(SHARED_ENTRIES);
        if self.entries.len() >= most
            && let Some(oldest) = self.entries.pop_front()
        {
            self.complete_after = oldest.seq;
        }
        self.entries.push_back(entry);
        self.waiting.drain(..).for_each(wake);
    }

    /// Drops the broadcasts if all members have read them. Returns whether they have.
    fn drop_read(&mut self) -> bool {
        let is_read = self.waiting.len() == self.members;
        if is_read && let Some(last) = self.entries.back() {
            self.forget_through(last.seq);
        }
        is_read
    }

    fn forget_through(&mut self, seq: Seq) {
        let read = self.entries.partition_point(|entry| entry.seq <= seq);
        self.entries.drain(..read);
        self.entries.shrink_to(IDLE_ENTRIES);
        self.complete_after = self.complete_after.max(seq);
    }
}

/// Hashes a filter.
fn hash_of<'a>(
    hasher: &RandomState,
    filter: impl Iterator<Item = Pattern<'a>>,
    presence: bool,
) -> u64 {
    let mut state = hasher.build_hasher();
    presence.hash(&mut state);
    filter.for_each(|pattern| pattern.as_str().hash(&mut state));
    state.finish()
}

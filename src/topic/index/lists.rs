//! The subscriptions of each pattern, as linked lists in one table.

use super::ids::{SubscriberId, SubscriptionId};
use super::slots::Slots;

/// The end of a list.
const NONE: u32 = u32::MAX;

/// The subscriptions of one pattern: the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct List(u32);

impl List {
    pub(super) const EMPTY: List = List(NONE);

    pub(super) fn is_empty(self) -> bool {
        self.0 == NONE
    }
}

/// Which pattern a subscription is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A pattern without wildcards, by the number of its text.
    Exact(u32),
    /// The pattern that ends at a node of the trie.
    Node(u32),
    /// The pattern that ends in `#` below a node of the trie.
    Below(u32),
}

#[derive(Debug, Clone, Copy)]
struct Subscription {
    previous: u32,
    next: u32,
    /// Two bits of the kind of the place, and its number.
    place: u32,
    subscriber: SubscriberId,
}

const NUMBER: u32 = u32::MAX >> 2;

impl Place {
    fn pack(self) -> u32 {
        let (kind, number) = match self {
            Place::Exact(number) => (0, number),
            Place::Node(number) => (1, number),
            Place::Below(number) => (2, number),
        };
        assert!(number <= NUMBER, "an index has fewer than 2^30 patterns");
        kind << 30 | number
    }

    fn unpack(packed: u32) -> Place {
        let number = packed & NUMBER;
        match packed >> 30 {
            0 => Place::Exact(number),
            1 => Place::Node(number),
            _ => Place::Below(number),
        }
    }
}

/// The subscriptions of an index.
#[derive(Debug)]
pub(super) struct Lists(Slots<Subscription>);

impl Lists {
    pub(super) const fn new() -> Self {
        Lists(Slots::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    #[cfg(test)]
    pub(super) fn capacity_in_bytes(&self) -> usize {
        self.0.capacity_in_bytes()
    }

    pub(super) fn place(&self, id: SubscriptionId) -> Place {
        Place::unpack(self.0[id.0].place)
    }

    pub(super) fn add(
        &mut self,
        list: &mut List,
        place: Place,
        subscriber: SubscriberId,
    ) -> SubscriptionId {
        let slot = self.0.insert(Subscription {
            previous: NONE,
            next: list.0,
            place: place.pack(),
            subscriber,
        });
        if list.0 != NONE {
            self.0[list.0].previous = slot;
        }
        list.0 = slot;
        SubscriptionId(slot)
    }

    pub(super) fn remove(&mut self, list: &mut List, id: SubscriptionId) {
        let Subscription { previous, next, .. } = self.0[id.0];
        match previous {
            NONE => list.0 = next,
            previous => self.0[previous].next = next,
        }
        if next != NONE {
            self.0[next].previous = previous;
        }
        self.0.remove(id.0);
    }

    pub(super) fn visit(&self, list: List, mut visit: impl FnMut(SubscriptionId, SubscriberId)) {
        let mut at = list.0;
        while at != NONE {
            let subscription = &self.0[at];
            visit(SubscriptionId(at), subscription.subscriber);
            at = subscription.next;
        }
    }
}

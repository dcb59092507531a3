//! The subscriptions of each pattern, as linked lists in one table.

use super::ids::{SubscriberId, SubscriptionId};
use super::slots::Slots;

/// Marks the end of a list.
const NONE: u32 = u32::MAX;

/// A list of the subscriptions of one pattern: the slot of the first one, or [`NONE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct List(u32);

impl List {
    pub(super) const EMPTY: List = List(NONE);

    pub(super) fn is_empty(self) -> bool {
        self.0 == NONE
    }
}

/// The pattern of a subscription, by its place in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PatternPlace {
    /// A pattern without wildcards, by the number of its text.
    ExactText(u32),
    /// The pattern that ends at this node of the trie.
    EndsAtNode(u32),
    /// The pattern that ends with `#` below this node of the trie.
    RestBelowNode(u32),
}

#[derive(Debug, Clone, Copy)]
struct Subscription {
    /// The slot of the subscription before it in its list, or [`NONE`].
    previous: u32,
    /// The slot of the subscription after it in its list, or [`NONE`].
    next: u32,
    /// A packed [`PatternPlace`]: two bits for its variant, 30 bits for its number.
    place: u32,
    subscriber: SubscriberId,
}

/// The bits of a packed place that hold its number.
const NUMBER: u32 = u32::MAX >> 2;

impl PatternPlace {
    fn pack(self) -> u32 {
        let (kind, number) = match self {
            PatternPlace::ExactText(number) => (0, number),
            PatternPlace::EndsAtNode(number) => (1, number),
            PatternPlace::RestBelowNode(number) => (2, number),
        };
        assert!(number <= NUMBER, "an index has fewer than 2^30 patterns");
        kind << 30 | number
    }

    fn unpack(packed: u32) -> PatternPlace {
        let number = packed & NUMBER;
        match packed >> 30 {
            0 => PatternPlace::ExactText(number),
            1 => PatternPlace::EndsAtNode(number),
            _ => PatternPlace::RestBelowNode(number),
        }
    }
}

/// The subscriptions of an index, each in the list of its pattern.
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

    /// Returns the place of a subscription's pattern.
    pub(super) fn place(&self, id: SubscriptionId) -> PatternPlace {
        PatternPlace::unpack(self.0[id.0].place)
    }

    /// Adds a subscription at the start of a list.
    pub(super) fn add(
        &mut self,
        list: &mut List,
        place: PatternPlace,
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

    /// Removes a subscription from its list.
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

    /// Calls `visit` for each subscription of a list.
    pub(super) fn visit(&self, list: List, mut visit: impl FnMut(SubscriptionId, SubscriberId)) {
        let mut at = list.0;
        while at != NONE {
            let subscription = &self.0[at];
            visit(SubscriptionId(at), subscription.subscriber);
            at = subscription.next;
        }
    }
}

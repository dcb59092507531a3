//! Finds the patterns that match a topic, among many.
//!
//! The problem: there may be hundreds of thousands of subscriptions, and those that do not match a
//! message must add nothing to its cost. So one look-up of the whole topic finds a pattern without
//! wildcards. The patterns with wildcards are in a trie over their levels.
//!
//! Invariants:
//! - A match allocates nothing and does not recurse. Its time is in proportion to the topic's
//!   length, the number of trie nodes that the topic's levels lead to, and the number of matching
//!   subscriptions.
//! - A subscription to a topic that no other subscription has takes at most 80 bytes. A
//!   subscription with a wildcard between levels takes at most 150 bytes.
//! - The memory of a removed subscription is used again.

mod ids;
mod lists;
mod slots;
#[cfg(test)]
mod tests;
mod texts;
mod trie;

pub use self::ids::{SubscriberId, SubscriptionId};
use self::lists::{List, Lists, PatternPlace};
use self::slots::grow_slowly;
pub use self::texts::Texts;
use self::trie::{PatternEnd, Trie};
use super::{Pattern, Topic};

/// The subscriptions of many subscribers, found by the topics that their patterns match.
#[derive(Debug)]
pub struct PatternIndex {
    subscriptions: Lists,
    /// The patterns without wildcards.
    exact: Texts,
    /// The subscriptions of each text in `exact`, by its number.
    exact_lists: Vec<List>,
    /// The patterns with wildcards.
    trie: Trie,
}

impl PatternIndex {
    /// Creates an index without subscriptions.
    pub fn new() -> Self {
        PatternIndex {
            subscriptions: Lists::new(),
            exact: Texts::new(),
            exact_lists: Vec::new(),
            trie: Trie::new(),
        }
    }

    /// Returns the number of subscriptions.
    pub fn len(&self) -> usize {
        self.subscriptions.len()
    }

    /// Whether there are no subscriptions.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a subscription. A subscriber may have many subscriptions, even several of the same
    /// pattern.
    ///
    /// # Panics
    /// Panics if the patterns have more than 2^30 levels or 4 GiB of text.
    pub fn insert(&mut self, pattern: &Pattern<'_>, subscriber: SubscriberId) -> SubscriptionId {
        let (place, list) = if pattern.has_wildcard() {
            let end = self.trie.insert(pattern);
            let place = if end.is_below {
                PatternPlace::RestBelowNode(end.node)
            } else {
                PatternPlace::EndsAtNode(end.node)
            };
            (place, self.trie.list(end))
        } else {
            let number = self.exact.take(pattern.as_str());
            while self.exact_lists.len() <= number as usize {
                grow_slowly(&mut self.exact_lists);
                self.exact_lists.push(List::EMPTY);
            }
            (
                PatternPlace::ExactText(number),
                &mut self.exact_lists[number as usize],
            )
        };
        self.subscriptions.add(list, place, subscriber)
    }

    /// Removes a subscription.
    ///
    /// # Panics
    /// May panic if the subscription was removed before.
    pub fn remove(&mut self, id: SubscriptionId) {
        match self.subscriptions.place(id) {
            PatternPlace::ExactText(number) => {
                let list = &mut self.exact_lists[number as usize];
                self.subscriptions.remove(list, id);
                self.exact.release(number);
                if self.exact.is_empty() {
                    self.exact_lists = Vec::new();
                }
            }
            PatternPlace::EndsAtNode(node) => self.remove_from_trie(node, false, id),
            PatternPlace::RestBelowNode(node) => self.remove_from_trie(node, true, id),
        }
    }

    fn remove_from_trie(&mut self, node: u32, is_below: bool, id: SubscriptionId) {
        let list = self.trie.list(PatternEnd { node, is_below });
        self.subscriptions.remove(list, id);
        self.trie.prune(node);
    }

    /// Returns the pattern of a subscription.
    ///
    /// # Panics
    /// May panic if the subscription was removed.
    pub fn pattern(&self, id: SubscriptionId) -> Pattern<'static> {
        let (node, last) = match self.subscriptions.place(id) {
            PatternPlace::ExactText(number) => {
                return Pattern::of_any_length(self.exact.text(number).to_owned());
            }
            PatternPlace::EndsAtNode(node) => (node, None),
            PatternPlace::RestBelowNode(node) => (node, Some("#")),
        };
        let mut levels: Vec<&str> = last.into_iter().chain(self.trie.levels_up(node)).collect();
        levels.reverse();
        Pattern::of_any_length(levels.join("/"))
    }

    /// Calls `visit` once for each subscription whose pattern matches the message, in no particular
    /// order. Only `#` matches a message without a topic.
    pub fn matches(
        &self,
        topic: Option<&Topic<'_>>,
        visit: impl FnMut(SubscriptionId, SubscriberId),
    ) {
        self.walk(topic, visit);
    }

    /// Returns the size of all memory that the index has allocated, in bytes.
    #[cfg(test)]
    fn capacity_in_bytes(&self) -> usize {
        let lists = size_of::<List>() * self.exact_lists.capacity();
        let texts = self.exact.capacity_in_bytes();
        self.subscriptions.capacity_in_bytes() + lists + texts + self.trie.capacity_in_bytes()
    }

    /// Does the work of [`PatternIndex::matches`]. Returns the number of trie nodes that the match
    /// visited.
    fn walk(
        &self,
        topic: Option<&Topic<'_>>,
        mut visit: impl FnMut(SubscriptionId, SubscriberId),
    ) -> usize {
        let Some(topic) = topic else {
            self.subscriptions.visit(self.trie.all(), visit);
            return 0;
        };
        if let Some(number) = self.exact.find(topic.as_str()) {
            let list = self.exact_lists[number as usize];
            self.subscriptions.visit(list, &mut visit);
        }
        if self.trie.is_empty() {
            return 0;
        }
        self.trie.matches(topic, |list| {
            self.subscriptions.visit(list, &mut visit);
        })
    }
}

impl Default for PatternIndex {
    fn default() -> Self {
        PatternIndex::new()
    }
}

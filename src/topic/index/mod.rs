//! Many patterns, and which of them match a topic.
//!
//! The problem: a message must cost nothing for the subscriptions that it does not concern, of
//! which there may be hundreds of thousands. So a pattern without wildcards is found by one
//! look-up of the whole topic, and the others are in a trie over their levels.
//!
//! Invariants:
//! - A match allocates nothing, and does not recurse. Its time is in proportion to the topic's
//!   length, the nodes of the trie that match so far, and the subscriptions that match.
//! - A subscription to a topic of its own takes at most 80 bytes, and one with a wildcard between
//!   levels at most 150. What a removed subscription took is used again.

mod ids;
mod lists;
mod slots;
#[cfg(test)]
mod tests;
mod texts;
mod trie;

pub use self::ids::{SubscriberId, SubscriptionId};
use self::lists::{List, Lists, Place};
use self::slots::grow_slowly;
use self::texts::Texts;
use self::trie::{PatternEnd, Trie};
use super::{Pattern, Topic};

/// Subscriptions by their patterns.
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

    /// Adds a subscription. One subscriber may have many, also of one pattern.
    ///
    /// # Panics
    /// The patterns have more than 2^30 levels or 4 GiB of text.
    pub fn insert(&mut self, pattern: &Pattern<'_>, subscriber: SubscriberId) -> SubscriptionId {
        let (place, list) = if pattern.has_wildcard() {
            let end = self.trie.insert(pattern);
            let place = if end.is_below {
                Place::Below(end.node)
            } else {
                Place::Node(end.node)
            };
            (place, self.trie.list(end))
        } else {
            let number = self.exact.take(pattern.as_str());
            while self.exact_lists.len() <= number as usize {
                grow_slowly(&mut self.exact_lists);
                self.exact_lists.push(List::EMPTY);
            }
            (Place::Exact(number), &mut self.exact_lists[number as usize])
        };
        self.subscriptions.add(list, place, subscriber)
    }

    /// Removes a subscription.
    ///
    /// # Panics
    /// It may panic if the subscription was removed before.
    pub fn remove(&mut self, id: SubscriptionId) {
        match self.subscriptions.place(id) {
            Place::Exact(number) => {
                let list = &mut self.exact_lists[number as usize];
                self.subscriptions.remove(list, id);
                self.exact.release(number);
                if self.exact.is_empty() {
                    self.exact_lists = Vec::new();
                }
            }
            Place::Node(node) => self.remove_from_trie(node, false, id),
            Place::Below(node) => self.remove_from_trie(node, true, id),
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
    /// It may panic if the subscription was removed.
    pub fn pattern(&self, id: SubscriptionId) -> Pattern<'static> {
        let (node, last) = match self.subscriptions.place(id) {
            Place::Exact(number) => {
                return Pattern::of_any_length(self.exact.text(number).to_owned());
            }
            Place::Node(node) => (node, None),
            Place::Below(node) => (node, Some("#")),
        };
        let mut levels: Vec<&str> = last.into_iter().chain(self.trie.levels_up(node)).collect();
        levels.reverse();
        Pattern::of_any_length(levels.join("/"))
    }

    /// Calls `visit` for each subscription whose pattern matches the message, once each and in no
    /// particular order. A message without a topic is matched by `#` only.
    pub fn matches(
        &self,
        topic: Option<&Topic<'_>>,
        visit: impl FnMut(SubscriptionId, SubscriberId),
    ) {
        self.walk(topic, visit);
    }

    /// Returns the size of all memory that the index has allocated.
    #[cfg(test)]
    fn capacity_in_bytes(&self) -> usize {
        let lists = size_of::<List>() * self.exact_lists.capacity();
        let texts = self.exact.capacity_in_bytes();
        self.subscriptions.capacity_in_bytes() + lists + texts + self.trie.capacity_in_bytes()
    }

    /// As [`PatternIndex::matches`]; returns the number of nodes of the trie that the match came
    /// to.
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

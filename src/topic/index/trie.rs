//! The patterns with wildcards, as a trie over their levels.
//!
//! A node stands for the first levels of patterns, without a `#`. One table for the whole trie
//! holds the children by literal levels, so that a node has a fixed size, whatever the number of
//! its children.
//!
//! A match visits the nodes whose levels match the topic's levels. From each node it goes on to at
//! most two children: the child by the literal level, and the `+` child. The `+` children that are
//! not visited yet are on a stack. The walk is depth-first, so the stack has at most one node a
//! level. Each visited node is the start of a stored pattern, and no node is visited twice.
//! Whatever the topic is, a match therefore visits at most as many nodes as the stored patterns
//! have levels, and the root.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::lists::List;
use super::slots::Slots;
use super::texts::Texts;
use crate::topic::pattern::PatternLevel;
use crate::topic::{MOST_LEVELS, Pattern, Topic};

/// Stands for no node or no text.
const NONE: u32 = u32::MAX;

/// Stands for the level of a `+` child.
const PLUS: u32 = u32::MAX - 1;

/// The node above the first level, which is never removed.
const ROOT: u32 = 0;

/// The largest number of levels for which a match uses a small stack. A topic with more levels
/// uses the large stack.
const USUAL_LEVELS: usize = 16;

#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    /// The number of the level's text, or [`PLUS`].
    level: u32,
    /// The `+` child, or [`NONE`].
    plus: u32,
    /// The number of children, including the `+` child.
    children: u32,
    /// The subscriptions of the pattern that ends here.
    here: List,
    /// The subscriptions of the pattern that ends with `#` after this node.
    below: List,
}

impl Node {
    fn new(parent: u32, level: u32) -> Node {
        Node {
            parent,
            level,
            plus: NONE,
            children: 0,
            here: List::EMPTY,
            below: List::EMPTY,
        }
    }

    fn is_unused(&self) -> bool {
        self.children == 0 && self.here.is_empty() && self.below.is_empty()
    }
}

/// A trie of patterns.
#[derive(Debug)]
pub(super) struct Trie {
    nodes: Slots<Node>,
    levels: Texts,
    /// The literal children of all nodes, by the numbers of the parent and the level.
    children: HashTable<u32>,
    hasher: RandomState,
}

/// The end of a pattern in the trie.
#[derive(Debug, Clone, Copy)]
pub(super) struct PatternEnd {
    /// The node of the last level that is not `#`.
    pub(super) node: u32,
    /// Whether a `#` follows the node.
    pub(super) is_below: bool,
}

impl Trie {
    pub(super) fn new() -> Self {
        let mut nodes = Slots::new();
        let root = nodes.insert(Node::new(NONE, NONE));
        debug_assert_eq!(root, ROOT);
        Trie {
            nodes,
            levels: Texts::new(),
            children: HashTable::new(),
            hasher: RandomState::new(),
        }
    }

    /// Returns the end of a pattern. Adds the nodes of the pattern that are missing.
    pub(super) fn insert(&mut self, pattern: &Pattern<'_>) -> PatternEnd {
        let mut node = ROOT;
        for level in pattern.levels() {
            node = match level {
                PatternLevel::Rest => {
                    return PatternEnd {
                        node,
                        is_below: true,
                    };
                }
                PatternLevel::OneLevel => self.plus_child(node),
                PatternLevel::Literal(text) => self.literal_child(node, text),
            };
        }
        PatternEnd {
            node,
            is_below: false,
        }
    }

    fn plus_child(&mut self, parent: u32) -> u32 {
        if self.nodes[parent].plus == NONE {
            let child = self.nodes.insert(Node::new(parent, PLUS));
            let parent = &mut self.nodes[parent];
            parent.plus = child;
            parent.children += 1;
        }
        self.nodes[parent].plus
    }

    fn literal_child(&mut self, parent: u32, text: &str) -> u32 {
        let known = self.levels.find(text);
        if let Some(child) = known.and_then(|level| self.child(parent, level)) {
            return child;
        }
        let level = self.levels.take(text);
        let child = self.nodes.insert(Node::new(parent, level));
        self.nodes[parent].children += 1;
        let (nodes, hasher) = (&self.nodes, &self.hasher);
        let hash = |child: &u32| hasher.hash_one((nodes[*child].parent, nodes[*child].level));
        self.children.insert_unique(hash(&child), child, hash);
        child
    }

    /// Returns a node's child by the number of a literal level.
    fn child(&self, parent: u32, level: u32) -> Option<u32> {
        let is_child = |child: &u32| {
            let node = &self.nodes[*child];
            node.parent == parent && node.level == level
        };
        let hash = self.hasher.hash_one((parent, level));
        self.children.find(hash, is_child).copied()
    }

    /// Returns the list of a pattern's subscriptions.
    pub(super) fn list(&mut self, end: PatternEnd) -> &mut List {
        let node = &mut self.nodes[end.node];
        if end.is_below {
            &mut node.below
        } else {
            &mut node.here
        }
    }

    /// Removes a node if it has no subscriptions and no children. Then does the same with its
    /// parent, up to the root.
    pub(super) fn prune(&mut self, mut node: u32) {
        while node != ROOT && self.nodes[node].is_unused() {
            let Node { parent, level, .. } = self.nodes[node];
            if level == PLUS {
                self.nodes[parent].plus = NONE;
            } else {
                let hash = self.hasher.hash_one((parent, level));
                if let Ok(found) = self.children.find_entry(hash, |child| *child == node) {
                    found.remove();
                }
                self.levels.release(level);
            }
            self.nodes[parent].children -= 1;
            self.nodes.remove(node);
            node = parent;
        }
        if self.is_empty() {
            *self = Trie::new();
            return;
        }
        let (nodes, hasher) = (&self.nodes, &self.hasher);
        if self.children.len() < self.children.capacity() / 8 {
            let hash = |child: &u32| hasher.hash_one((nodes[*child].parent, nodes[*child].level));
            self.children.shrink_to(2 * self.children.len(), hash);
        }
    }

    /// Returns the levels of the pattern that ends at a node, the last level first.
    pub(super) fn levels_up(&self, node: u32) -> impl Iterator<Item = &str> {
        let known = |node: u32| (node != ROOT).then_some(node);
        std::iter::successors(known(node), move |node| known(self.nodes[*node].parent)).map(
            |node| match self.nodes[node].level {
                PLUS => "+",
                level => self.levels.text(level),
            },
        )
    }

    /// Whether there are no patterns.
    pub(super) fn is_empty(&self) -> bool {
        self.nodes[ROOT].is_unused()
    }

    #[cfg(test)]
    pub(super) fn capacity_in_bytes(&self) -> usize {
        let nodes = self.nodes.capacity_in_bytes();
        nodes + self.levels.capacity_in_bytes() + self.children.allocation_size()
    }

    /// Returns the list of the pattern `#`.
    pub(super) fn all(&self) -> List {
        self.nodes[ROOT].below
    }

    /// Calls `visit` with the list of each pattern that matches; lists may be empty. Returns the
    /// number of visited nodes.
    pub(super) fn matches(&self, topic: &Topic<'_>, visit: impl FnMut(List)) -> usize {
        if topic.levels().nth(USUAL_LEVELS).is_none() {
            self.walk::<USUAL_LEVELS>(topic, visit)
        } else {
            self.walk::<MOST_LEVELS>(topic, visit)
        }
    }

    /// Matches a topic of at most `N` levels.
    fn walk<const N: usize>(&self, topic: &Topic<'_>, mut visit: impl FnMut(List)) -> usize {
        let mut levels = [NONE; N];
        let mut length = 0;
        for (slot, level) in levels.iter_mut().zip(topic.levels()) {
            *slot = self.levels.find(level).unwrap_or(NONE);
            length += 1;
        }
        let levels = &levels[..length];

        // The `+` children to visit later, each with the number of levels down to it.
        let mut waiting = [(NONE, 0_u32); N];
        let mut waits = 0;
        let mut walked = 0;
        let mut next = Some((ROOT, 0_usize));
        while let Some((at, depth)) = next {
            walked += 1;
            let node = &self.nodes[at];
            let is_hidden = depth == 0 && topic.is_reserved();
            if !is_hidden {
                visit(node.below);
            }
            next = None;
            if let Some(level) = levels.get(depth) {
                if node.plus != NONE && !is_hidden {
                    waiting[waits] = (node.plus, depth as u32 + 1);
                    waits += 1;
                }
                if *level != NONE && node.children > u32::from(node.plus != NONE) {
                    next = self.child(at, *level).map(|child| (child, depth + 1));
                }
            } else {
                visit(node.here);
            }
            if next.is_none() && waits > 0 {
                waits -= 1;
                let (child, depth) = waiting[waits];
                next = Some((child, depth as usize));
            }
        }
        walked
    }
}

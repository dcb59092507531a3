//! What is remembered of strangers, within bounds.
//!
//! A stranger chooses how many names and addresses there are to remember. So what says
//! nothing any more is swept out each time that the memory has doubled, and where
//! [`MAX_ENTRIES`] is reached, the least worth goes first.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Instant;

/// What is remembered at most, but for what is pinned.
pub(super) const MAX_ENTRIES: usize = 1 << 16;

/// No sweep is worth it below.
const MIN_SWEEP: usize = 1 << 10;

/// How much would be lost with a memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EvictionRank {
    /// Nothing: a new one would say the same.
    Redundant,
    /// A little.
    Low,
    /// What holds a stranger back.
    High,
    /// Somebody counts on it.
    Pinned,
}

/// A thing to remember.
pub(super) trait Evictable {
    /// How much would be lost with it now.
    fn eviction_rank(&self, now: Instant) -> EvictionRank;
}

/// What is remembered, by whom it is of.
#[derive(Debug)]
pub(super) struct BoundedMap<K, V> {
    known: HashMap<K, V>,
    sweep_at: usize,
}

impl<K, V> Default for BoundedMap<K, V> {
    fn default() -> Self {
        BoundedMap {
            known: HashMap::new(),
            sweep_at: MIN_SWEEP,
        }
    }
}

impl<K: Eq + Hash, V: Evictable> BoundedMap<K, V> {
    /// What is remembered of `key`, or else begins now.
    pub(super) fn of(&mut self, key: K, now: Instant, fresh: impl FnOnce() -> V) -> &mut V {
        if self.known.len() >= self.sweep_at.min(MAX_ENTRIES) {
            self.sweep(now);
        }
        self.known.entry(key).or_insert_with(fresh)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.known.get_mut(key)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.known.values_mut()
    }

    fn sweep(&mut self, now: Instant) {
        for least in [EvictionRank::Low, EvictionRank::High, EvictionRank::Pinned] {
            self.known
                .retain(|_, value| value.eviction_rank(now) >= least);
            if self.known.len() < MAX_ENTRIES {
                break;
            }
        }
        self.known.shrink_to(MIN_SWEEP.max(self.known.len()));
        self.sweep_at = MIN_SWEEP.max(2 * self.known.len());
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}

//! A bounded map of state per unauthenticated peer or claimed name.
//!
//! Unauthenticated clients choose how many names and addresses there are. So redundant entries
//! are swept out each time that the map has doubled, and at [`MAX_ENTRIES`] the entries of the
//! lowest rank are evicted.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Instant;

/// The most entries, pinned ones excepted.
pub(super) const MAX_ENTRIES: usize = 1 << 16;

/// Smaller maps are not swept.
const MIN_SWEEP: usize = 1 << 10;

/// How much an eviction would lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EvictionRank {
    /// Nothing: a new entry would be the same.
    Redundant,
    /// A little, such as a few used tokens.
    Low,
    /// A back-off that slows a peer down.
    High,
    /// The entry is in use.
    Pinned,
}

/// A value that may be evicted.
pub(super) trait Evictable {
    /// Returns how much its eviction would lose now.
    fn eviction_rank(&self, now: Instant) -> EvictionRank;
}

/// A map that evicts the values of the lowest rank.
#[derive(Debug)]
pub(super) struct BoundedMap<K, V> {
    entries: HashMap<K, V>,
    sweep_at: usize,
}

impl<K, V> Default for BoundedMap<K, V> {
    fn default() -> Self {
        BoundedMap {
            entries: HashMap::new(),
            sweep_at: MIN_SWEEP,
        }
    }
}

impl<K: Eq + Hash, V: Evictable> BoundedMap<K, V> {
    /// Returns the value of `key`; inserts a fresh one if there is none.
    pub(super) fn get_or_insert(
        &mut self,
        key: K,
        now: Instant,
        fresh: impl FnOnce() -> V,
    ) -> &mut V {
        if self.entries.len() >= self.sweep_at.min(MAX_ENTRIES) {
            self.sweep(now);
        }
        self.entries.entry(key).or_insert_with(fresh)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values_mut()
    }

    fn sweep(&mut self, now: Instant) {
        for least in [EvictionRank::Low, EvictionRank::High, EvictionRank::Pinned] {
            self.entries
                .retain(|_, value| value.eviction_rank(now) >= least);
            if self.entries.len() < MAX_ENTRIES {
                break;
            }
        }
        self.entries.shrink_to(MIN_SWEEP.max(self.entries.len()));
        self.sweep_at = MIN_SWEEP.max(2 * self.entries.len());
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

//! What is remembered of strangers, within bounds.
//!
//! A stranger chooses how many names and addresses there are to remember. So what says
//! nothing any more is swept out each time that the memory has doubled, and where
//! [`MOST`] is reached, the least worth goes first.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Instant;

/// What is remembered at most, but for what is pinned.
pub(super) const MOST: usize = 1 << 16;

/// No sweep is worth it below.
const FEW: usize = 1 << 10;

/// How much would be lost with a memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    /// Nothing: a new one would say the same.
    Nothing,
    /// A little.
    Little,
    /// What holds a stranger back.
    Much,
    /// Somebody counts on it.
    Pinned,
}

/// A thing to remember.
pub(super) trait Remembered {
    /// How much would be lost with it now.
    fn worth(&self, now: Instant) -> Worth;
}

/// What is remembered, by whom it is of.
#[derive(Debug)]
pub(super) struct Memory<K, V> {
    known: HashMap<K, V>,
    sweep_at: usize,
}

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Memory {
            known: HashMap::new(),
            sweep_at: FEW,
        }
    }
}

impl<K: Eq + Hash, V: Remembered> Memory<K, V> {
    /// What is remembered of `key`, or else begins now.
    pub(super) fn of(&mut self, key: K, now: Instant, fresh: impl FnOnce() -> V) -> &mut V {
        if self.known.len() >= self.sweep_at.min(MOST) {
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
        for least in [Worth::Little, Worth::Much, Worth::Pinned] {
            self.known.retain(|_, value| value.worth(now) >= least);
            if self.known.len() < MOST {
                break;
            }
        }
        self.known.shrink_to(FEW.max(self.known.len()));
        self.sweep_at = FEW.max(2 * self.known.len());
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}

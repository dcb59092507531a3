//! How fast each of many peers, or users, may do something.

use std::hash::Hash;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::bounded_map::{BoundedMap, Evictable, EvictionRank};
use crate::rate::{Bucket, Rate};

/// A bucket of tokens for each key; a bounded number of them is remembered.
#[derive(Debug)]
pub struct Rates<K> {
    known: Mutex<BoundedMap<K, Bucket>>,
    rate: Rate,
}

impl<K: Eq + Hash + Clone> Rates<K> {
    /// The same rate for each.
    pub fn new(rate: Rate) -> Rates<K> {
        Rates {
            known: Mutex::default(),
            rate,
        }
    }

    /// Takes one of the tokens of `key`.
    ///
    /// # Errors
    /// There is none; how long until there is one.
    pub fn take(&self, key: &K, now: Instant) -> Result<(), Duration> {
        let fresh = || Bucket::full(self.rate, now);
        self.known.lock().of(key.clone(), now, fresh).take(now)
    }
}

impl Evictable for Bucket {
    fn eviction_rank(&self, now: Instant) -> EvictionRank {
        if self.is_full(now) {
            EvictionRank::Redundant
        } else {
            EvictionRank::Low
        }
    }
}

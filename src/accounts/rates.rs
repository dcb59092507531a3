//! Rate limits (token buckets) per peer or user.

use std::hash::Hash;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::bounded_map::{BoundedMap, Evictable, EvictionRank};
use crate::rate::{Bucket, Rate};

/// A token bucket for each key, for a bounded number of keys.
#[derive(Debug)]
pub struct Rates<K> {
    table: Mutex<Table<K>>,
}

#[derive(Debug)]
struct Table<K> {
    buckets: BoundedMap<K, Bucket>,
    rate: Rate,
}

impl<K: Eq + Hash + Clone> Rates<K> {
    /// Creates the buckets; each key has the same rate.
    pub fn new(rate: Rate) -> Rates<K> {
        let buckets = BoundedMap::default();
        Rates {
            table: Mutex::new(Table { buckets, rate }),
        }
    }

    /// Changes the rate. Every key begins with a full bucket of the new one.
    pub(super) fn set(&self, rate: Rate) {
        let mut table = self.table.lock();
        if table.rate != rate {
            let buckets = BoundedMap::default();
            *table = Table { buckets, rate };
        }
    }

    /// Takes one of the tokens of `key`.
    ///
    /// # Errors
    /// There is no token: the time until there is one.
    pub fn take(&self, key: &K, now: Instant) -> Result<(), Duration> {
        let Table { buckets, rate } = &mut *self.table.lock();
        let fresh = || Bucket::full(*rate, now);
        buckets.get_or_insert(key.clone(), now, fresh).take(now)
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

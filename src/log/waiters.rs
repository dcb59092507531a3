//! Wakers of the tasks that wait for one event.
//!
//! Invariants: a task is registered at most once; a task that no longer waits is removed, so
//! that there are never more wakers than waiting tasks; taking all of them ends a round, and a
//! key of an earlier round is no longer valid.

use std::num::NonZero;
use std::task::Waker;

use slab::Slab;

/// The tasks that wait.
#[derive(Debug)]
pub(super) struct Waiters {
    /// Counts how often all were taken, from 1 on.
    round: NonZero<u64>,
    wakers: Slab<Waker>,
}

impl Default for Waiters {
    fn default() -> Self {
        Waiters {
            round: NonZero::<u64>::MIN,
            wakers: Slab::new(),
        }
    }
}

/// Identifies a registration, until its round ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    round: NonZero<u64>,
    index: usize,
}

impl Key {
    /// Returns the round that the registration is of.
    pub(super) fn round(self) -> u64 {
        self.round.get()
    }
}

impl Waiters {
    /// Returns the number of the round.
    pub(super) fn round(&self) -> u64 {
        self.round.get()
    }

    /// Registers a task, unless `key` says that it is registered. A task that registers again
    /// with another waker replaces its waker.
    pub(super) fn register(&mut self, key: &mut Option<Key>, waker: &Waker) {
        if let Some(known) = key.filter(|key| key.round == self.round) {
            let registered = &mut self.wakers[known.index];
            if !registered.will_wake(waker) {
                registered.clone_from(waker);
            }
            return;
        }
        let index = self.wakers.insert(waker.clone());
        let round = self.round;
        *key = Some(Key { round, index });
    }

    /// Removes a task that no longer waits.
    pub(super) fn deregister(&mut self, key: Option<Key>) {
        let Some(key) = key.filter(|key| key.round == self.round) else {
            return;
        };
        self.wakers.remove(key.index);
        if self.is_empty() {
            self.wakers = Slab::new(); // frees the memory of the largest count so far
        }
    }

    /// Removes all of them, to be woken once no lock is held.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        self.round = self.round.saturating_add(1);
        // Most of these tasks will wait again.
        let next = Slab::with_capacity(self.wakers.len());
        let wakers = std::mem::replace(&mut self.wakers, next);
        wakers.into_iter().map(|(_, waker)| waker)
    }

    /// Whether no task waits.
    pub(super) fn is_empty(&self) -> bool {
        self.wakers.is_empty()
    }

    /// Returns the count of waiting tasks.
    pub(super) fn len(&self) -> usize {
        self.wakers.len()
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn task_dropped_while_waiting_leaves_no_waker() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut waiters = Waiters::default();
        let mut stays = None;
        waiters.register(&mut stays, &waker);
        for _ in 0..1000 {
            let mut goes = None;
            waiters.register(&mut goes, &waker);
            waiters.register(&mut goes, &waker);
            assert_eq!(waiters.len(), 2);
            waiters.deregister(goes);
        }
        assert_eq!(waiters.len(), 1);
        assert!(waiters.wakers.capacity() <= 4, "slots are used again");
        waiters.take().for_each(Waker::wake);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(Arc::strong_count(&count), 2, "ours, and the waker's own");
    }

    #[test]
    fn key_of_an_earlier_round_removes_no_waiter() {
        let mut waiters = Waiters::default();
        let (mut early, mut late) = (None, None);
        waiters.register(&mut early, Waker::noop());
        assert_eq!(waiters.take().count(), 1);
        waiters.register(&mut late, Waker::noop());
        waiters.deregister(early);
        assert_eq!(waiters.len(), 1);
        waiters.deregister(late);
        assert!(waiters.is_empty());
    }

    #[test]
    fn task_polled_with_a_new_waker_is_woken_by_it() {
        let [first, second] = [(); 2].map(|()| Arc::new(Count::default()));
        let mut waiters = Waiters::default();
        let mut key = None;
        waiters.register(&mut key, &Waker::from(Arc::clone(&first)));
        waiters.register(&mut key, &Waker::from(Arc::clone(&second)));
        waiters.take().for_each(Waker::wake);
        let woken = [first, second].map(|count| count.0.load(Ordering::Relaxed));
        assert_eq!(woken, [0, 1]);
    }
}

//! Limits of sessions, and the permits of those that exist.
//!
//! A session holds its permits for as long as it lives. Dropping them releases them, so none is
//! lost however the session ends.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Waker};

use parking_lot::Mutex;

use super::unauthenticated::{UnauthenticatedLimit, UnauthenticatedPermit};
use crate::accounts::PeerId;

/// Limits the sessions of an endpoint, or of the whole server. Clones share the count.
///
/// It is no semaphore: acceptors ask whether a permit is free without taking it, and wait for
/// any of several limits at once.
#[derive(Debug, Clone)]
pub struct SessionLimit(Arc<HeldPermits>);

#[derive(Debug)]
struct HeldPermits {
    count: AtomicUsize,
    limit: AtomicUsize,
    /// Acceptors that wait for a free permit.
    waiting: Mutex<Vec<Waker>>,
}

impl SessionLimit {
    /// Returns a limit of which no permit is held.
    pub fn new(limit: usize) -> SessionLimit {
        SessionLimit(Arc::new(HeldPermits {
            count: AtomicUsize::new(0),
            limit: AtomicUsize::new(limit),
            waiting: Mutex::default(),
        }))
    }

    /// Changes the limit. Permits beyond it stay with their sessions.
    pub fn set(&self, limit: usize) {
        self.0.limit.store(limit, Ordering::Release);
        self.wake_waiting();
    }

    fn limit(&self) -> usize {
        self.0.limit.load(Ordering::Acquire)
    }

    fn try_acquire(&self) -> bool {
        let is_acquired = self.0.count.fetch_add(1, Ordering::AcqRel) < self.limit();
        if !is_acquired {
            self.0.count.fetch_sub(1, Ordering::AcqRel);
        }
        is_acquired
    }

    fn release(&self) {
        self.0.count.fetch_sub(1, Ordering::AcqRel);
        self.wake_waiting();
    }

    fn wake_waiting(&self) {
        let waiting = std::mem::take(&mut *self.0.waiting.lock());
        waiting.into_iter().for_each(Waker::wake);
    }

    fn is_full(&self) -> bool {
        self.0.count.load(Ordering::Acquire) >= self.limit()
    }

    /// Returns whether a permit is free; if not, the task is woken once one is released.
    pub(super) fn poll_free(&self, cx: &TaskContext<'_>) -> bool {
        if !self.is_full() {
            return true;
        }
        let mut waiting = self.0.waiting.lock();
        if !waiting.iter().any(|known| known.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        drop(waiting);
        !self.is_full() // a permit may have been released before the waker was registered
    }
}

/// The permits that a session holds. Dropping them releases them.
#[derive(Debug, Default)]
pub struct Permits {
    sessions: Arc<[SessionLimit]>,
    peer: Option<KeyedPermit<PeerId>>,
    /// Boxed, as most peers are networks of their own.
    _network: Option<Box<KeyedPermit<PeerId>>>,
    /// Boxed, as most sessions have logged in.
    unauthenticated: Option<Box<UnauthenticatedPermit>>,
}

impl Permits {
    /// Acquires a permit of each limit, or none of any.
    pub(super) fn acquire(limits: &Arc<[SessionLimit]>) -> Option<Permits> {
        let full = limits.iter().position(|limit| !limit.try_acquire());
        if let Some(full) = full {
            limits[..full].iter().for_each(SessionLimit::release);
            return None;
        }
        Some(Permits {
            sessions: Arc::clone(limits),
            peer: None,
            _network: None,
            unauthenticated: None,
        })
    }

    /// Acquires a permit of the peer's and one of its network's too. On failure all are
    /// released.
    pub(super) fn with_peer(
        mut self,
        peers: &KeyedLimit<PeerId>,
        networks: &KeyedLimit<PeerId>,
        peer: PeerId,
    ) -> Option<Permits> {
        let network = peer.network();
        // Most peers are networks of their own, and counted once.
        if network != peer {
            self._network = Some(Box::new(networks.acquire(network)?));
        }
        self.change_peer(peers, peer).then_some(self)
    }

    /// Acquires a permit of this peer's, and releases that of the peer that was counted before.
    /// Returns whether one was free; if not, nothing has changed.
    pub(super) fn change_peer(&mut self, peers: &KeyedLimit<PeerId>, peer: PeerId) -> bool {
        let Some(permit) = peers.acquire(peer) else {
            return false;
        };
        self.peer = Some(permit);
        true
    }

    /// Acquires a permit of a session that has not logged in too. On failure all are released.
    pub(super) fn with_unauthenticated(
        mut self,
        limit: &UnauthenticatedLimit,
        peer: PeerId,
    ) -> Option<Permits> {
        self.unauthenticated = Some(Box::new(limit.acquire(peer)?));
        Some(self)
    }

    /// Releases the permit of a session that has not logged in, as the session now has.
    pub(super) fn release_unauthenticated(&mut self) {
        self.unauthenticated = None;
    }

    /// Returns whether another peer has preempted the permit of a session that has not logged
    /// in; if not, the task is woken when one does.
    pub(super) fn poll_preempted(&mut self, cx: &mut TaskContext<'_>) -> bool {
        let permit = self.unauthenticated.as_mut();
        permit.is_some_and(|permit| permit.poll_preempted(cx))
    }
}

impl Drop for Permits {
    fn drop(&mut self) {
        self.sessions.iter().for_each(SessionLimit::release);
    }
}

/// A table with a smaller capacity is not worth shrinking.
const SMALL_TABLE: usize = 1024;

/// Limits the sessions of each key: of a user, of a peer. Clones share the counts.
#[derive(Debug)]
pub struct KeyedLimit<K>(Arc<Mutex<Keyed<K>>>);

#[derive(Debug)]
struct Keyed<K> {
    held: HashMap<K, usize>,
    limit: usize,
}

/// A permit of one key. Dropping it releases it.
pub struct KeyedPermit<K: Eq + Hash> {
    keyed: Arc<Mutex<Keyed<K>>>,
    key: K,
}

impl<K> Clone for KeyedLimit<K> {
    fn clone(&self) -> Self {
        KeyedLimit(Arc::clone(&self.0))
    }
}

impl<K: Eq + Hash + Clone> KeyedLimit<K> {
    /// Returns a limit of which no permit is held.
    pub fn new(limit: usize) -> Self {
        let held = HashMap::new();
        KeyedLimit(Arc::new(Mutex::new(Keyed { held, limit })))
    }

    /// Changes the limit. Permits beyond it stay with their sessions.
    pub fn set(&self, limit: usize) {
        self.0.lock().limit = limit;
    }

    /// Acquires one of the key's permits, if one is free.
    pub(super) fn acquire(&self, key: K) -> Option<KeyedPermit<K>> {
        let mut keyed = self.0.lock();
        let Keyed { held, limit } = &mut *keyed;
        let (key, count) = match held.entry(key) {
            Entry::Occupied(entry) => (entry.key().clone(), entry.into_mut()),
            Entry::Vacant(entry) => (entry.key().clone(), entry.insert(0)),
        };
        if *count >= *limit {
            return None;
        }
        *count += 1;
        drop(keyed);
        let keyed = Arc::clone(&self.0);
        Some(KeyedPermit { keyed, key })
    }
}

impl<K: Eq + Hash> KeyedPermit<K> {
    /// Returns the key as the first of its holders has it, so that they share its memory.
    pub(super) fn key(&self) -> &K {
        &self.key
    }
}

impl<K: Eq + Hash> Drop for KeyedPermit<K> {
    fn drop(&mut self) {
        let Keyed { held, .. } = &mut *self.keyed.lock();
        if let Some(count) = held.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.key);
            }
        }
        // After a burst of keys the table's memory is returned.
        if held.capacity() > SMALL_TABLE && held.len() * 8 < held.capacity() {
            let capacity = held.len() * 2;
            held.shrink_to(capacity);
        }
    }
}

impl<K: Eq + Hash> fmt::Debug for KeyedPermit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedPermit(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permit_is_free_again_once_it_is_dropped() {
        let (all, own) = (SessionLimit::new(2), SessionLimit::new(1));
        let both = Arc::from([all.clone(), own.clone()]);
        let first = Permits::acquire(&both).expect("both are empty");
        assert!(Permits::acquire(&both).is_none());
        let other = Permits::acquire(&Arc::from([all.clone()])).expect("there is another");
        assert!(all.is_full());
        drop(first);
        assert!(!all.is_full() && !own.is_full());
        drop(other);
        assert!(Permits::acquire(&both).is_some());
    }

    #[test]
    fn network_has_its_own_limit_besides_those_of_its_peers() {
        let (peers, networks) = (KeyedLimit::new(2), KeyedLimit::new(3));
        let acquire = |address: &str| {
            let peer = PeerId::at(address.parse().expect("an address"));
            Permits::default().with_peer(&peers, &networks, peer)
        };
        let first = [acquire("2001:db8:1:1::1"), acquire("2001:db8:1:1::2")];
        assert!(first.iter().all(Option::is_some));
        assert!(acquire("2001:db8:1:1::3").is_none(), "the peer has two");
        let _second = acquire("2001:db8:1:2::1").expect("another peer");
        assert!(
            acquire("2001:db8:1:3::1").is_none(),
            "the network has three"
        );
        assert!(acquire("2001:db8:2:1::1").is_some(), "another network");
        drop(first);
        assert!(acquire("2001:db8:1:3::1").is_some());
    }

    #[test]
    fn keyed_limit_counts_each_key_alone() {
        let limit = KeyedLimit::new(1);
        let ana = limit.acquire("ana").expect("none is taken");
        assert!(limit.acquire("ana").is_none());
        let _rui = limit.acquire("rui").expect("these are another's");
        drop(ana);
        assert!(limit.acquire("ana").is_some());
    }

    #[test]
    fn lowered_limit_leaves_permits_and_raised_one_admits_more() {
        let (all, keyed) = (SessionLimit::new(2), KeyedLimit::new(2));
        let limits = Arc::from([all.clone()]);
        let two = [(); 2].map(|()| (Permits::acquire(&limits), keyed.acquire("ana")));
        all.set(1);
        keyed.set(1);
        assert!(two.iter().all(|(all, own)| all.is_some() && own.is_some()));
        let [first, second] = two;
        drop(first);
        assert!(
            all.is_full() && keyed.acquire("ana").is_none(),
            "one is held"
        );
        all.set(2);
        keyed.set(2);
        assert!(Permits::acquire(&limits).is_some() && keyed.acquire("ana").is_some());
        drop(second);
    }

    #[test]
    fn waiter_at_a_limit_is_woken_once_it_is_raised() {
        let all = SessionLimit::new(1);
        let _held = Permits::acquire(&Arc::from([all.clone()])).expect("it is free");
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        assert!(!all.poll_free(&TaskContext::from_waker(&waker)));
        all.set(2);
        assert_eq!(woken.0.load(Ordering::Acquire), 1);
        assert!(all.poll_free(&TaskContext::from_waker(&waker)));
    }

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::AcqRel);
        }
    }
}

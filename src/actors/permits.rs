//! Permits for sessions, and who has taken them.
//!
//! A session holds its places for as long as it lives; dropping them frees them, so
//! that none is lost whatever becomes of the session.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Waker};

use parking_lot::Mutex;

use super::unauthenticated::{Unauthenticated, UnauthenticatedPermit};
use crate::accounts::PeerId;

/// Counts places: at an endpoint, in the whole server.
#[derive(Debug, Clone)]
pub struct SessionLimit {
    places: Arc<Count>,
    most: usize,
}

#[derive(Debug, Default)]
struct Count {
    taken: AtomicUsize,
    /// Acceptors that wait for a free place.
    waiting: Mutex<Vec<Waker>>,
}

/// Permits that are taken; dropping it frees them.
#[derive(Debug, Default)]
pub struct Permits {
    rooms: Vec<SessionLimit>,
    of_peer: Option<KeyedPermit<PeerId>>,
    _of_network: Option<KeyedPermit<PeerId>>,
    before_login: Option<UnauthenticatedPermit>,
}

impl SessionLimit {
    /// A room with so many places.
    pub fn new(most: usize) -> SessionLimit {
        SessionLimit {
            places: Arc::default(),
            most,
        }
    }

    fn enter(&self) -> bool {
        let entered = self.places.taken.fetch_add(1, Ordering::AcqRel) < self.most;
        if !entered {
            self.places.taken.fetch_sub(1, Ordering::AcqRel);
        }
        entered
    }

    fn leave(&self) {
        self.places.taken.fetch_sub(1, Ordering::AcqRel);
        let waiting = std::mem::take(&mut *self.places.waiting.lock());
        waiting.into_iter().for_each(Waker::wake);
    }

    fn is_full(&self) -> bool {
        self.places.taken.load(Ordering::Acquire) >= self.most
    }

    /// Whether there is a place; where there is none, the task is woken by the next.
    pub(super) fn poll_place(&self, cx: &TaskContext<'_>) -> bool {
        if !self.is_full() {
            return true;
        }
        let mut waiting = self.places.waiting.lock();
        if !waiting.iter().any(|known| known.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        drop(waiting);
        !self.is_full() // one may have left between the two
    }
}

impl Permits {
    /// One place in each of the rooms, or none at all.
    pub(super) fn take<'a>(rooms: impl IntoIterator<Item = &'a SessionLimit>) -> Option<Permits> {
        let mut places = Permits::default();
        for room in rooms {
            if !room.enter() {
                return None;
            }
            places.rooms.push(room.clone());
        }
        Some(places)
    }

    /// And one of the peer's, and of its network's, or none at all.
    pub(super) fn of(
        mut self,
        peers: &KeyedLimit<PeerId>,
        networks: &KeyedLimit<PeerId>,
        peer: PeerId,
    ) -> Option<Permits> {
        let network = peer.network();
        // Most peers are networks of their own, and counted once.
        if network != peer {
            self._of_network = Some(networks.enter(network)?);
        }
        self.count_as(peers, peer).then_some(self)
    }

    /// Takes a place of this peer's, and frees the one that it had. Whether there is one; if
    /// not, nothing has changed.
    pub(super) fn count_as(&mut self, peers: &KeyedLimit<PeerId>, peer: PeerId) -> bool {
        let Some(place) = peers.enter(peer) else {
            return false;
        };
        self.of_peer = Some(place);
        true
    }

    /// And one of those who have not logged in, or none at all.
    pub(super) fn before_login(mut self, all: &Unauthenticated, peer: PeerId) -> Option<Permits> {
        self.before_login = Some(all.enter(peer)?);
        Some(self)
    }

    /// Frees the place of those who have not logged in before the others.
    pub(super) fn log_in(&mut self) {
        self.before_login = None;
    }

    /// Whether the place of those who have not logged in was given to another peer; the task
    /// is woken when it is.
    pub(super) fn poll_given_up(&mut self, cx: &mut TaskContext<'_>) -> bool {
        let place = self.before_login.as_mut();
        place.is_some_and(|place| place.poll_given_up(cx))
    }
}

impl Drop for Permits {
    fn drop(&mut self) {
        self.rooms.iter().for_each(SessionLimit::leave);
    }
}

/// Below it a crowd's memory is not worth giving back.
const FEW: usize = 1024;

/// Counts the places of each: of a user, of a peer.
#[derive(Debug)]
pub struct KeyedLimit<K> {
    taken: Arc<Mutex<HashMap<K, usize>>>,
    most: usize,
}

/// A place that is taken in a [`KeyedLimit`]; dropping it frees it.
pub struct KeyedPermit<K: Eq + Hash> {
    taken: Arc<Mutex<HashMap<K, usize>>>,
    whose: K,
}

impl<K> Clone for KeyedLimit<K> {
    fn clone(&self) -> Self {
        KeyedLimit {
            taken: Arc::clone(&self.taken),
            most: self.most,
        }
    }
}

impl<K: Eq + Hash + Clone> KeyedLimit<K> {
    /// So many places for each.
    pub fn new(most: usize) -> Self {
        KeyedLimit {
            taken: Arc::default(),
            most,
        }
    }

    /// One of `whose` places, if there is one.
    pub(super) fn enter(&self, whose: K) -> Option<KeyedPermit<K>> {
        let mut taken = self.taken.lock();
        let count = taken.entry(whose.clone()).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(taken);
        Some(KeyedPermit {
            taken: Arc::clone(&self.taken),
            whose,
        })
    }
}

impl<K: Eq + Hash> Drop for KeyedPermit<K> {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        if let Some(count) = taken.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.whose);
            }
        }
        if taken.capacity() > FEW && taken.len() * 8 < taken.capacity() {
            let few = taken.len() * 2;
            taken.shrink_to(few); // a crowd's memory goes with it
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
    fn a_place_is_free_again_when_it_is_dropped_and_not_before() {
        let (all, own) = (SessionLimit::new(2), SessionLimit::new(1));
        let first = Permits::take([&all, &own]).expect("both are empty");
        assert!(Permits::take([&all, &own]).is_none());
        let other = Permits::take([&all]).expect("there is another");
        assert!(all.is_full());
        drop(first);
        assert!(!all.is_full() && !own.is_full());
        drop(other);
        assert!(Permits::take([&all, &own]).is_some());
    }

    #[test]
    fn network_has_its_own_places_besides_those_of_its_peers() {
        let (peers, networks) = (KeyedLimit::new(2), KeyedLimit::new(3));
        let enter = |address: &str| {
            let peer = PeerId::at(address.parse().expect("an address"));
            Permits::default().of(&peers, &networks, peer)
        };
        let first = [enter("2001:db8:1:1::1"), enter("2001:db8:1:1::2")];
        assert!(first.iter().all(Option::is_some));
        assert!(enter("2001:db8:1:1::3").is_none(), "the peer has two");
        let _second = enter("2001:db8:1:2::1").expect("another peer");
        assert!(enter("2001:db8:1:3::1").is_none(), "the network has three");
        assert!(enter("2001:db8:2:1::1").is_some(), "another network");
        drop(first);
        assert!(enter("2001:db8:1:3::1").is_some());
    }

    #[test]
    fn each_has_its_own_places_in_a_crowd() {
        let crowd = KeyedLimit::new(1);
        let ana = crowd.enter("ana").expect("none is taken");
        assert!(crowd.enter("ana").is_none());
        let _rui = crowd.enter("rui").expect("these are another's");
        drop(ana);
        assert!(crowd.enter("ana").is_some());
    }
}

//! Permits of sessions that have not logged in, shared fairly between peers.
//!
//! One peer may hold all permits while no other peer needs one. Once all are held, a peer with
//! fewer permits preempts one of the peer with the most: the oldest of that peer's sessions is
//! told that there are too many. So no number of connections of a few peers keeps another peer
//! from logging in. The peers of one network ([`PeerId::network`]) are first counted together,
//! as one host may have any address of it.
//!
//! Invariants: `held` of the table is the sum of its networks', that of a network the sum of
//! its peers' permits; each network and each peer with permits is in its ranking once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::accounts::PeerId;

/// Limits the sessions that have not logged in. Clones share the table.
#[derive(Clone)]
pub struct UnauthenticatedLimit {
    table: Arc<Mutex<Table>>,
}

/// The permit of one session that has not logged in. Dropping it releases it.
pub struct UnauthenticatedPermit {
    table: Arc<Mutex<Table>>,
    peer: PeerId,
    number: u64,
    preempted: oneshot::Receiver<()>,
    is_preempted: bool,
}

struct Table {
    limit: usize,
    held: usize,
    next_number: u64,
    networks: HashMap<PeerId, Network>,
    /// Every network by the number of its permits.
    ranks: BTreeSet<(usize, PeerId)>,
}

#[derive(Default)]
struct Network {
    held: usize,
    /// The permits of each peer by their numbers, the oldest first, each with the channel that
    /// preempts it.
    peers: HashMap<PeerId, BTreeMap<u64, oneshot::Sender<()>>>,
    /// Every peer by the number of its permits.
    ranks: BTreeSet<(usize, PeerId)>,
}

impl UnauthenticatedLimit {
    /// Returns a limit of which no permit is held.
    pub fn new(limit: usize) -> UnauthenticatedLimit {
        let table = Table {
            limit,
            held: 0,
            next_number: 0,
            networks: HashMap::new(),
            ranks: BTreeSet::new(),
        };
        UnauthenticatedLimit {
            table: Arc::new(Mutex::new(table)),
        }
    }

    /// Changes the limit. Permits beyond it stay until they end, or other peers preempt them.
    pub fn set(&self, limit: usize) {
        self.table.lock().limit = limit;
    }

    /// Acquires a permit for this peer: a free one, or one that it preempts.
    pub(super) fn acquire(&self, peer: PeerId) -> Option<UnauthenticatedPermit> {
        let mut table = self.table.lock();
        if table.held >= table.limit && !table.preempt_for(&peer) {
            return None;
        }
        let (preempt, preempted) = oneshot::channel();
        let number = table.next_number;
        table.next_number += 1;
        table.insert(&peer, number, preempt);
        drop(table);
        Some(UnauthenticatedPermit {
            table: Arc::clone(&self.table),
            peer,
            number,
            preempted,
            is_preempted: false,
        })
    }
}

impl UnauthenticatedPermit {
    /// Returns whether another peer has preempted the permit; if not, the task is woken when
    /// one does.
    pub(super) fn poll_preempted(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.is_preempted {
            let preempted = Pin::new(&mut self.preempted).poll(cx);
            self.is_preempted = preempted == Poll::Ready(Ok(()));
        }
        self.is_preempted
    }
}

impl Drop for UnauthenticatedPermit {
    fn drop(&mut self) {
        self.table.lock().remove(&self.peer, self.number);
    }
}

impl fmt::Debug for UnauthenticatedPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnauthenticatedPermit(…)")
    }
}

impl Table {
    /// Preempts a permit of the peer with the most, if `peer` would still have fewer. Returns
    /// whether it did.
    fn preempt_for(&mut self, peer: &PeerId) -> bool {
        let network = peer.network();
        let own = self.networks.get(&network);
        let held_by_network = own.map_or(0, |own| own.held);
        let held_by_peer = own
            .and_then(|own| own.peers.get(peer))
            .map_or(0, BTreeMap::len);
        let Some((most, largest)) = self.ranks.last().cloned() else {
            return false;
        };
        let (from, must_exceed) = match largest == network {
            // Within one network its peers share in the same way.
            true => (own, held_by_peer + 1),
            false if most > held_by_network + 1 => (self.networks.get(&largest), 0),
            false => return false,
        };
        let Some((_, victim)) = from.and_then(|from| from.ranks.last()).cloned() else {
            return false;
        };
        let permits = from.and_then(|from| from.peers.get(&victim));
        let oldest = permits
            .filter(|permits| permits.len() > must_exceed)
            .and_then(|permits| permits.keys().next().copied());
        match oldest.and_then(|oldest| self.remove(&victim, oldest)) {
            None => false,
            Some(preempt) => {
                let _ = preempt.send(()); // fails if that session is just ending
                true
            }
        }
    }

    fn insert(&mut self, peer: &PeerId, number: u64, preempt: oneshot::Sender<()>) {
        self.held += 1;
        let name = peer.network();
        let network = self.networks.entry(name.clone()).or_default();
        let permits = network.peers.entry(peer.clone()).or_default();
        rank(&mut network.ranks, peer, permits.len(), permits.len() + 1);
        permits.insert(number, preempt);
        rank(&mut self.ranks, &name, network.held, network.held + 1);
        network.held += 1;
    }

    /// Removes a permit; returns `None` if it was preempted before.
    fn remove(&mut self, peer: &PeerId, number: u64) -> Option<oneshot::Sender<()>> {
        let name = peer.network();
        let network = self.networks.get_mut(&name)?;
        let permits = network.peers.get_mut(peer)?;
        let removed = permits.remove(&number)?;
        rank(&mut network.ranks, peer, permits.len() + 1, permits.len());
        if permits.is_empty() {
            network.peers.remove(peer);
        }
        rank(&mut self.ranks, &name, network.held, network.held - 1);
        network.held -= 1;
        if network.held == 0 {
            self.networks.remove(&name);
        }
        self.held -= 1;
        Some(removed)
    }
}

/// Moves a key in a ranking. Keys that hold nothing are not in it.
fn rank(ranks: &mut BTreeSet<(usize, PeerId)>, name: &PeerId, before: usize, now: usize) {
    ranks.remove(&(before, name.clone()));
    if now > 0 {
        ranks.insert((now, name.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> PeerId {
        PeerId::at(address.parse().expect("an address"))
    }

    /// Acquires as many permits as it can.
    fn fill(all: &UnauthenticatedLimit, peer: &PeerId) -> Vec<UnauthenticatedPermit> {
        let places = std::iter::from_fn(|| all.acquire(peer.clone()));
        places.take(100).collect()
    }

    fn kept(places: &mut [UnauthenticatedPermit]) -> usize {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let kept = places
            .iter_mut()
            .map(|place| !place.poll_preempted(&mut cx));
        kept.filter(|kept| *kept).count()
    }

    #[test]
    fn lone_peer_may_take_all_permits() {
        let all = UnauthenticatedLimit::new(5);
        let mut places = fill(&all, &PeerId::Uid(1));
        assert_eq!((places.len(), kept(&mut places)), (5, 5));
        places.clear();
        assert_eq!(fill(&all, &PeerId::Uid(2)).len(), 5);
    }

    #[test]
    fn two_peers_with_all_permits_keep_no_third_peer_out() {
        let all = UnauthenticatedLimit::new(9);
        let mut first = fill(&all, &PeerId::Uid(1));
        let mut second = fill(&all, &PeerId::Uid(2));
        assert_eq!((kept(&mut first), second.len()), (5, 4));
        let mut third = fill(&all, &PeerId::Uid(3));
        let shares = [kept(&mut first), kept(&mut second), kept(&mut third)];
        assert_eq!(shares, [3, 3, 3]);
        assert!(all.acquire(PeerId::Uid(1)).is_none());
        let oldest = &mut first[..1];
        assert_eq!(kept(oldest), 0, "the oldest goes first");
        drop((first, second, third));
        let table = all.table.lock();
        assert!(table.held == 0 && table.networks.is_empty() && table.ranks.is_empty());
    }

    #[test]
    fn ipv6_peers_of_one_network_count_together() {
        let all = UnauthenticatedLimit::new(8);
        let mut of_network: Vec<_> = (0..8)
            .filter_map(|host| all.acquire(at(&format!("2001:db8:1:{host}::1"))))
            .collect();
        assert_eq!(of_network.len(), 8);
        let mut other = fill(&all, &at("192.0.2.1"));
        assert_eq!((kept(&mut of_network), kept(&mut other)), (4, 4));
        // Within the network nobody has more than a newcomer would have.
        assert!(all.acquire(at("2001:db8:1:ff::1")).is_none());
    }
}

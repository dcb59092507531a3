//! Permits of sessions that have not logged in, shared fairly between peers.
//!
//! One peer may take all of them while nobody else comes. When they are all taken, a peer
//! that has fewer takes one from the peer that has the most: the oldest of its sessions is
//! told that there are too many. So no number of connections of a few peers keeps another
//! peer from logging in. Peers of one network ([`PeerId::network`]) count together first, as
//! one host may have any address of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::accounts::PeerId;

/// Counts the sessions that have not logged in.
#[derive(Clone)]
pub struct Unauthenticated {
    table: Arc<Mutex<Table>>,
}

/// A place; dropping it frees it.
pub struct UnauthenticatedPermit {
    table: Arc<Mutex<Table>>,
    peer: PeerId,
    number: u64,
    given_up: oneshot::Receiver<()>,
    is_given_up: bool,
}

struct Table {
    most: usize,
    taken: usize,
    next: u64,
    networks: HashMap<PeerId, Network>,
    /// Every network by the number of its places.
    ranks: BTreeSet<(usize, PeerId)>,
}

#[derive(Default)]
struct Network {
    taken: usize,
    /// The places of each peer in the order in which they were taken.
    peers: HashMap<PeerId, BTreeMap<u64, oneshot::Sender<()>>>,
    /// Every peer by the number of its places.
    ranks: BTreeSet<(usize, PeerId)>,
}

impl Unauthenticated {
    /// So many places in all.
    pub fn new(most: usize) -> Unauthenticated {
        let table = Table {
            most,
            taken: 0,
            next: 0,
            networks: HashMap::new(),
            ranks: BTreeSet::new(),
        };
        Unauthenticated {
            table: Arc::new(Mutex::new(table)),
        }
    }

    /// A place for this peer: a free one, or one that another peer has to give up.
    pub(super) fn enter(&self, peer: PeerId) -> Option<UnauthenticatedPermit> {
        let mut table = self.table.lock();
        if table.taken >= table.most && !table.make_room_for(&peer) {
            return None;
        }
        let (give_up, given_up) = oneshot::channel();
        let number = table.next;
        table.next += 1;
        table.insert(&peer, number, give_up);
        drop(table);
        Some(UnauthenticatedPermit {
            table: Arc::clone(&self.table),
            peer,
            number,
            given_up,
            is_given_up: false,
        })
    }
}

impl UnauthenticatedPermit {
    /// Whether the place was given to another peer; the task is woken when it is.
    pub(super) fn poll_given_up(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.is_given_up {
            let given_up = Pin::new(&mut self.given_up).poll(cx);
            self.is_given_up = given_up == Poll::Ready(Ok(()));
        }
        self.is_given_up
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
    /// Takes a place from the peer with the most places, if this peer would still have fewer.
    fn make_room_for(&mut self, peer: &PeerId) -> bool {
        let network = peer.network();
        let own = self.networks.get(&network);
        let of_network = own.map_or(0, |own| own.taken);
        let of_peer = own
            .and_then(|own| own.peers.get(peer))
            .map_or(0, BTreeMap::len);
        let Some((most, largest)) = self.ranks.last().cloned() else {
            return false;
        };
        let (from, must_exceed) = match largest == network {
            // Within one network its peers share in the same way.
            true => (own, of_peer + 1),
            false if most > of_network + 1 => (self.networks.get(&largest), 0),
            false => return false,
        };
        let Some((_, victim)) = from.and_then(|from| from.ranks.last()).cloned() else {
            return false;
        };
        let places = from.and_then(|from| from.peers.get(&victim));
        let oldest = places.filter(|places| places.len() > must_exceed);
        let oldest = oldest.and_then(|places| places.keys().next().copied());
        let given_up = oldest.and_then(|oldest| self.remove(&victim, oldest));
        match given_up {
            None => false,
            Some(give_up) => {
                let _ = give_up.send(()); // or that session is just ending
                true
            }
        }
    }

    fn insert(&mut self, peer: &PeerId, number: u64, give_up: oneshot::Sender<()>) {
        self.taken += 1;
        let name = peer.network();
        let network = self.networks.entry(name.clone()).or_default();
        let places = network.peers.entry(peer.clone()).or_default();
        rank(&mut network.ranks, peer, places.len(), places.len() + 1);
        places.insert(number, give_up);
        rank(&mut self.ranks, &name, network.taken, network.taken + 1);
        network.taken += 1;
    }

    /// `None`: it was given up before.
    fn remove(&mut self, peer: &PeerId, number: u64) -> Option<oneshot::Sender<()>> {
        let name = peer.network();
        let network = self.networks.get_mut(&name)?;
        let places = network.peers.get_mut(peer)?;
        let removed = places.remove(&number)?;
        rank(&mut network.ranks, peer, places.len() + 1, places.len());
        if places.is_empty() {
            network.peers.remove(peer);
        }
        rank(&mut self.ranks, &name, network.taken, network.taken - 1);
        network.taken -= 1;
        if network.taken == 0 {
            self.networks.remove(&name);
        }
        self.taken -= 1;
        Some(removed)
    }
}

/// Moves a name in a ranking.
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

    /// Takes as many places as there are to be had.
    fn fill(all: &Unauthenticated, peer: &PeerId) -> Vec<UnauthenticatedPermit> {
        let places = std::iter::from_fn(|| all.enter(peer.clone()));
        places.take(100).collect()
    }

    fn kept(places: &mut [UnauthenticatedPermit]) -> usize {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let kept = places.iter_mut().map(|place| !place.poll_given_up(&mut cx));
        kept.filter(|kept| *kept).count()
    }

    #[test]
    fn one_peer_may_take_all_places_while_nobody_else_comes() {
        let all = Unauthenticated::new(5);
        let mut places = fill(&all, &PeerId::Uid(1));
        assert_eq!((places.len(), kept(&mut places)), (5, 5));
        places.clear();
        assert_eq!(fill(&all, &PeerId::Uid(2)).len(), 5);
    }

    #[test]
    fn two_peers_that_took_all_places_keep_no_third_one_out() {
        let all = Unauthenticated::new(9);
        let mut first = fill(&all, &PeerId::Uid(1));
        let mut second = fill(&all, &PeerId::Uid(2));
        assert_eq!((kept(&mut first), second.len()), (5, 4));
        let mut third = fill(&all, &PeerId::Uid(3));
        let shares = [kept(&mut first), kept(&mut second), kept(&mut third)];
        assert_eq!(shares, [3, 3, 3]);
        assert!(all.enter(PeerId::Uid(1)).is_none());
        let oldest = &mut first[..1];
        assert_eq!(kept(oldest), 0, "the oldest goes first");
        drop((first, second, third));
        let table = all.table.lock();
        assert!(table.taken == 0 && table.networks.is_empty() && table.ranks.is_empty());
    }

    #[test]
    fn peers_of_one_ipv6_network_count_together() {
        let all = Unauthenticated::new(8);
        let mut of_network: Vec<_> = (0..8)
            .filter_map(|host| all.enter(at(&format!("2001:db8:1:{host}::1"))))
            .collect();
        assert_eq!(of_network.len(), 8);
        let mut other = fill(&all, &at("192.0.2.1"));
        assert_eq!((kept(&mut of_network), kept(&mut other)), (4, 4));
        // Within the network nobody has more than a newcomer would have.
        assert!(all.enter(at("2001:db8:1:ff::1")).is_none());
    }
}

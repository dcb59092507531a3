//! A bounded pool for password hashes, fair between peers.
//!
//! A bounded number of hashes run at once, on blocking threads. Further ones wait in a queue
//! per peer, and a permit that becomes free goes to the queues in turn: a peer with many logins
//! delays itself and no other.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::PeerId;

/// Bounds the hashes that run at once.
#[derive(Debug)]
pub(super) struct HashPool {
    queues: Arc<Mutex<Queues>>,
    /// All permits.
    most: usize,
}

/// Invariant: while a login waits, no permit is free.
#[derive(Debug)]
struct Queues {
    free: usize,
    waiting: HashMap<PeerId, VecDeque<oneshot::Sender<HashPermit>>>,
    /// The peers with a queue in the order of their turns, each once.
    turns: VecDeque<PeerId>,
    /// The longest queue of one peer.
    longest: usize,
    is_closed: bool,
}

/// The load of the pool, for monitoring. It shares the pool's state.
#[derive(Debug, Clone)]
pub struct HashLoad {
    queues: Arc<Mutex<Queues>>,
    most: usize,
}

impl HashLoad {
    /// Returns how many hashes run, and how many logins wait for one.
    pub fn now(&self) -> (usize, usize) {
        let queues = self.queues.lock();
        let waiting = queues.waiting.values().map(VecDeque::len).sum();
        (self.most.saturating_sub(queues.free), waiting)
    }
}

/// Why there is no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PoolRefusal {
    /// The peer's queue is full.
    QueueFull,
    /// The pool is closed.
    Closed,
}

/// A permit for one hash. Dropping it hands it to the next login that waits.
#[derive(Debug)]
pub(super) struct HashPermit {
    queues: Option<Arc<Mutex<Queues>>>,
}

impl HashPool {
    pub(super) fn new(places: usize, longest: usize) -> Self {
        let queues = Queues {
            free: places,
            waiting: HashMap::new(),
            turns: VecDeque::new(),
            longest,
            is_closed: false,
        };
        HashPool {
            queues: Arc::new(Mutex::new(queues)),
            most: places,
        }
    }

    /// Changes the longest queue of one peer. Logins that wait go on waiting.
    pub(super) fn set_longest(&self, longest: usize) {
        self.queues.lock().longest = longest;
    }

    /// Returns what tells how busy it is.
    pub(super) fn load(&self) -> HashLoad {
        HashLoad {
            queues: Arc::clone(&self.queues),
            most: self.most,
        }
    }

    /// Whether nothing runs and no login waits.
    pub(super) fn is_quiet(&self) -> bool {
        self.queues.lock().free == self.most
    }

    /// Refuses every login that waits, and all later ones.
    pub(super) fn close(&self) {
        let mut queues = self.queues.lock();
        queues.is_closed = true;
        queues.turns.clear();
        queues.waiting.clear();
    }

    /// Waits for a permit.
    pub(super) async fn acquire(&self, peer: &PeerId) -> Result<HashPermit, PoolRefusal> {
        let turn = {
            let mut queues = self.queues.lock();
            if queues.is_closed {
                return Err(PoolRefusal::Closed);
            }
            if queues.free > 0 {
                queues.free -= 1;
                return Ok(HashPermit {
                    queues: Some(Arc::clone(&self.queues)),
                });
            }
            queues.wait(peer)?
        };
        turn.await.map_err(|_| PoolRefusal::Closed)
    }
}

impl Queues {
    fn wait(&mut self, peer: &PeerId) -> Result<oneshot::Receiver<HashPermit>, PoolRefusal> {
        let longest = self.longest;
        let (place, turn) = oneshot::channel();
        match self.waiting.get_mut(peer) {
            None if longest == 0 => return Err(PoolRefusal::QueueFull),
            None => {
                self.waiting.insert(peer.clone(), VecDeque::from([place]));
                self.turns.push_back(peer.clone());
            }
            Some(queue) => {
                if queue.len() >= longest {
                    queue.retain(|waiting| !waiting.is_closed()); // cancelled logins
                }
                if queue.len() >= longest {
                    return Err(PoolRefusal::QueueFull);
                }
                queue.push_back(place);
            }
        }
        Ok(turn)
    }

    /// Removes the next login in turn; its peer's next turn comes after all others.
    fn next(&mut self) -> Option<oneshot::Sender<HashPermit>> {
        loop {
            let peer = self.turns.pop_front()?;
            let Some(queue) = self.waiting.get_mut(&peer) else {
                continue;
            };
            let next = queue.pop_front();
            if queue.is_empty() {
                self.waiting.remove(&peer);
            } else {
                self.turns.push_back(peer);
            }
            if next.is_some() {
                return next;
            }
        }
    }
}

impl HashPermit {
    /// Runs `work` on a blocking thread. Returns `None` if it panicked.
    pub(super) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let result = tokio::task::spawn_blocking(move || {
            // The permit is held until the work ends, even if the login is cancelled.
            let _permit = self;
            work()
        });
        result.await.ok()
    }
}

impl Drop for HashPermit {
    fn drop(&mut self) {
        let Some(queues) = self.queues.take() else {
            return;
        };
        loop {
            let Some(next) = ({
                let mut locked = queues.lock();
                let next = locked.next();
                locked.free += usize::from(next.is_none());
                next
            }) else {
                return;
            };
            let place = HashPermit {
                queues: Some(Arc::clone(&queues)),
            };
            match next.send(place) {
                Ok(()) => return,
                // That login was cancelled: this loop hands the permit on, instead of its drop.
                Err(mut place) => drop(place.queues.take()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn peer(uid: u32) -> PeerId {
        PeerId::Uid(uid)
    }

    #[test]
    fn busy_peer_gets_one_turn_per_round() {
        let pool = HashPool::new(1, 100);
        let Poll::Ready(Ok(place)) = poll(pin!(pool.acquire(&peer(1)))) else {
            panic!("a permit is free");
        };
        let (greedy, modest) = (peer(1), peer(2));
        let mut many: Vec<_> = (0..50).map(|_| Box::pin(pool.acquire(&greedy))).collect();
        assert!(many.iter_mut().all(|turn| poll(turn.as_mut()).is_pending()));
        let mut one = pin!(pool.acquire(&modest));
        assert!(poll(one.as_mut()).is_pending());

        drop(place);
        let Poll::Ready(Ok(first)) = poll(many[0].as_mut()) else {
            panic!("the first login of the first peer");
        };
        drop(first);
        assert!(
            poll(one.as_mut()).is_ready(),
            "then it is the other peer's turn"
        );
    }

    #[test]
    fn pool_permit_skips_waiters_that_have_gone() {
        let pool = HashPool::new(1, 100);
        let Poll::Ready(Ok(place)) = poll(pin!(pool.acquire(&peer(1)))) else {
            panic!("a permit is free");
        };
        let id = peer(1);
        let mut gone: Vec<_> = (0..100).map(|_| Box::pin(pool.acquire(&id))).collect();
        assert!(gone.iter_mut().all(|turn| poll(turn.as_mut()).is_pending()));
        let full = poll(pin!(pool.acquire(&id)));
        assert!(matches!(full, Poll::Ready(Err(PoolRefusal::QueueFull))));
        drop(gone);
        let mut last = pin!(pool.acquire(&id));
        assert!(
            poll(last.as_mut()).is_pending(),
            "cancelled logins take no place"
        );
        drop(place);
        let Poll::Ready(Ok(place)) = poll(last.as_mut()) else {
            panic!("no other login waits");
        };
        assert!(!pool.is_quiet());
        assert_eq!(pool.load().now(), (1, 0));
        drop(place);
        assert!(pool.is_quiet());
    }

    #[test]
    fn waiter_of_a_closed_pool_is_woken_at_once() {
        let pool = HashPool::new(1, 100);
        let Poll::Ready(Ok(_at_work)) = poll(pin!(pool.acquire(&peer(1)))) else {
            panic!("a permit is free");
        };
        let id = peer(1);
        let mut waiting = pin!(pool.acquire(&id));
        assert!(poll(waiting.as_mut()).is_pending());
        pool.close();
        for turn in [waiting, pin!(pool.acquire(&id))] {
            assert!(matches!(poll(turn), Poll::Ready(Err(PoolRefusal::Closed))));
        }
    }
}

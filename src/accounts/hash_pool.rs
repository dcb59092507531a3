//! Slow work, a little of it at a time, and everybody's in turn.
//!
//! So much runs at once, on blocking threads; what is more waits in a line a peer, and
//! a place that becomes free goes to the line whose turn it is: a peer that asks for
//! much waits for itself, not others for it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::PeerId;

/// Runs at most so much at once.
#[derive(Debug)]
pub(super) struct HashPool {
    lines: Arc<Mutex<Queues>>,
    /// Places that there are.
    most: usize,
    /// How long a peer's line may be.
    longest: usize,
}

/// Invariant: while somebody waits, no place is free.
#[derive(Debug)]
struct Queues {
    free: usize,
    waiting: HashMap<PeerId, VecDeque<oneshot::Sender<HashPermit>>>,
    /// The peers that have a line, in the order of their turns; each once.
    turns: VecDeque<PeerId>,
    is_closed: bool,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PoolRefusal {
    /// The peer's line is full.
    QueueFull,
    /// No work is begun any more.
    Closed,
}

/// A place in the pool, for one piece of work. Dropping it passes it on.
#[derive(Debug)]
pub(super) struct HashPermit {
    lines: Option<Arc<Mutex<Queues>>>,
}

impl HashPool {
    pub(super) fn new(places: usize, longest: usize) -> Self {
        let lines = Queues {
            free: places,
            waiting: HashMap::new(),
            turns: VecDeque::new(),
            is_closed: false,
        };
        HashPool {
            lines: Arc::new(Mutex::new(lines)),
            most: places,
            longest,
        }
    }

    /// Whether nothing runs and nobody waits.
    pub(super) fn is_quiet(&self) -> bool {
        self.lines.lock().free == self.most
    }

    /// Begins nothing more: whoever waits is told so.
    pub(super) fn close(&self) {
        let mut lines = self.lines.lock();
        lines.is_closed = true;
        lines.turns.clear();
        lines.waiting.clear();
    }

    /// Waits for a place.
    pub(super) async fn enter(&self, peer: &PeerId) -> Result<HashPermit, PoolRefusal> {
        let turn = {
            let mut lines = self.lines.lock();
            if lines.is_closed {
                return Err(PoolRefusal::Closed);
            }
            if lines.free > 0 {
                lines.free -= 1;
                return Ok(HashPermit {
                    lines: Some(Arc::clone(&self.lines)),
                });
            }
            lines.wait(peer, self.longest)?
        };
        turn.await.map_err(|_| PoolRefusal::Closed)
    }
}

impl Queues {
    fn wait(
        &mut self,
        peer: &PeerId,
        longest: usize,
    ) -> Result<oneshot::Receiver<HashPermit>, PoolRefusal> {
        let (place, turn) = oneshot::channel();
        match self.waiting.get_mut(peer) {
            None if longest == 0 => return Err(PoolRefusal::QueueFull),
            None => {
                self.waiting.insert(peer.clone(), VecDeque::from([place]));
                self.turns.push_back(peer.clone());
            }
            Some(line) => {
                if line.len() >= longest {
                    line.retain(|waiting| !waiting.is_closed()); // some have gone meanwhile
                }
                if line.len() >= longest {
                    return Err(PoolRefusal::QueueFull);
                }
                line.push_back(place);
            }
        }
        Ok(turn)
    }

    /// Who is next; its peer's next turn comes after everybody else's.
    fn next(&mut self) -> Option<oneshot::Sender<HashPermit>> {
        loop {
            let peer = self.turns.pop_front()?;
            let Some(line) = self.waiting.get_mut(&peer) else {
                continue;
            };
            let next = line.pop_front();
            if line.is_empty() {
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
    /// Runs `work` on a blocking thread. `None` if it panicked.
    pub(super) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let result = tokio::task::spawn_blocking(move || {
            // The place goes with the work: it stays taken though the one who
            // asked has gone.
            let _place = self;
            work()
        });
        result.await.ok()
    }
}

impl Drop for HashPermit {
    fn drop(&mut self) {
        let Some(lines) = self.lines.take() else {
            return;
        };
        loop {
            let Some(next) = ({
                let mut locked = lines.lock();
                let next = locked.next();
                locked.free += usize::from(next.is_none());
                next
            }) else {
                return;
            };
            let place = HashPermit {
                lines: Some(Arc::clone(&lines)),
            };
            match next.send(place) {
                Ok(()) => return,
                // Who waited has gone; here the place is passed on, and not by its drop.
                Err(mut place) => drop(place.lines.take()),
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
    fn one_who_asks_for_much_is_waited_for_once_in_a_round() {
        let pool = HashPool::new(1, 100);
        let Poll::Ready(Ok(place)) = poll(pin!(pool.enter(&peer(1)))) else {
            panic!("it is free");
        };
        let (greedy, modest) = (peer(1), peer(2));
        let mut many: Vec<_> = (0..50).map(|_| Box::pin(pool.enter(&greedy))).collect();
        assert!(many.iter_mut().all(|turn| poll(turn.as_mut()).is_pending()));
        let mut one = pin!(pool.enter(&modest));
        assert!(poll(one.as_mut()).is_pending());

        drop(place);
        let Poll::Ready(Ok(first)) = poll(many[0].as_mut()) else {
            panic!("who came first is first");
        };
        drop(first);
        assert!(
            poll(one.as_mut()).is_ready(),
            "and then it is the other's turn"
        );
    }

    #[test]
    fn a_place_passes_over_those_who_have_gone() {
        let pool = HashPool::new(1, 100);
        let Poll::Ready(Ok(place)) = poll(pin!(pool.enter(&peer(1)))) else {
            panic!("it is free");
        };
        let id = peer(1);
        let mut gone: Vec<_> = (0..100).map(|_| Box::pin(pool.enter(&id))).collect();
        assert!(gone.iter_mut().all(|turn| poll(turn.as_mut()).is_pending()));
        let full = poll(pin!(pool.enter(&id)));
        assert!(matches!(full, Poll::Ready(Err(PoolRefusal::QueueFull))));
        drop(gone);
        let mut last = pin!(pool.enter(&id));
        assert!(
            poll(last.as_mut()).is_pending(),
            "those who have gone take no room"
        );
        drop(place);
        let Poll::Ready(Ok(place)) = poll(last.as_mut()) else {
            panic!("nobody else waits");
        };
        assert!(!pool.is_quiet());
        drop(place);
        assert!(pool.is_quiet());
    }

    #[test]
    fn who_waits_when_it_closes_is_told_so_at_once() {
        let pool = HashPool::new(1, 100);
        let Poll::Ready(Ok(_at_work)) = poll(pin!(pool.enter(&peer(1)))) else {
            panic!("it is free");
        };
        let id = peer(1);
        let mut waiting = pin!(pool.enter(&id));
        assert!(poll(waiting.as_mut()).is_pending());
        pool.close();
        for turn in [waiting, pin!(pool.enter(&id))] {
            assert!(matches!(poll(turn), Poll::Ready(Err(PoolRefusal::Closed))));
        }
    }
}

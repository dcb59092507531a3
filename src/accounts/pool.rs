//! Slow work, a little of it at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Runs at most so much hashing at once, on blocking threads; more waits, and
/// what would make the queue too long is turned away.
#[derive(Debug)]
pub(super) struct Pool {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
    most: usize,
}

/// The queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// A place in the pool, for one piece of work.
#[derive(Debug)]
pub(super) struct Place(OwnedSemaphorePermit);

impl Pool {
    pub(super) fn new(places: usize, most_waiting: usize) -> Self {
        Pool {
            places: Arc::new(Semaphore::new(places)),
            waiting: AtomicUsize::new(0),
            most_waiting,
            most: places,
        }
    }

    /// Whether nothing runs and nobody waits.
    pub(super) fn is_quiet(&self) -> bool {
        self.waiting.load(Ordering::Acquire) == 0 && self.places.available_permits() == self.most
    }

    /// Waits for a place.
    pub(super) async fn enter(&self) -> Result<Place, Full> {
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= self.most_waiting {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return Err(Full);
        }
        let _waiting = Waiting(&self.waiting);
        let permit = Arc::clone(&self.places).acquire_owned().await;
        Ok(Place(permit.expect("the semaphore is never closed")))
    }
}

impl Place {
    /// Runs `work` on a blocking thread. `None` if it panicked.
    pub(super) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let result = tokio::task::spawn_blocking(move || {
            // The place goes with the work: it stays taken though the one who
            // asked has gone.
            let Place(_permit) = self;
            work()
        });
        result.await.ok()
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

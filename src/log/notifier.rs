//! Waking the readers of one thread.
//!
//! The appender must not do work a reader. It rings each thread's bell, which
//! costs one wake-up, and the thread's own relay wakes the readers that wait
//! there. A ring while the last one has not been heard costs nothing.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::waiters::{Key, Waiters};
use crate::sync::{AtomicBool, AtomicWaker, Mutex, Ordering};

/// The readers of one thread that have read everything.
#[derive(Debug, Default)]
pub struct Notifier {
    is_notified: AtomicBool,
    relay: AtomicWaker,
    waiting: Arc<Mutex<Waiters>>,
}

/// A reader's registration at a bell: it stands there at most once. Dropping it takes
/// the reader out, so that a reader that goes leaves nothing behind.
#[derive(Debug, Default)]
pub struct ReadWait {
    key: Option<Key>,
    waiting: Option<Arc<Mutex<Waiters>>>,
}

impl Drop for ReadWait {
    fn drop(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            waiting.lock().deregister(self.key);
        }
    }
}

impl Notifier {
    /// Queues a reader for the next ring. `wait` belongs to this bell from then on.
    ///
    /// The reader must look at the log once more after this, and before it
    /// sleeps: a ring may have come between its last look and the queueing.
    pub fn register(&self, wait: &mut ReadWait, waker: &Waker) {
        if wait.waiting.is_none() {
            wait.waiting = Some(Arc::clone(&self.waiting));
        }
        self.waiting.lock().register(&mut wait.key, waker);
    }

    /// Says that there is something to read.
    pub(super) fn notify(&self) {
        if !self.is_notified.swap(true, Ordering::AcqRel) {
            self.relay.wake();
        }
    }

    /// Resolves once the bell was rung since the last time.
    pub(super) async fn notified(&self) {
        poll_fn(|cx| {
            self.relay.register(cx.waker());
            if self.is_notified.swap(false, Ordering::AcqRel) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Wakes every reader that waits.
    pub(super) fn wake_all(&self) {
        let wakers = self.waiting.lock().take();
        wakers.for_each(Waker::wake);
    }

    /// How many readers wait.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.lock().len()
    }
}

//! Wakes the readers of one thread.
//!
//! The appender must not do work per reader. It notifies each thread, which costs one wake-up,
//! and that thread's relay wakes the readers that wait there. A notification costs nothing
//! while the relay has not handled the last one.

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

/// A reader's registration at a notifier, at most one. Dropping it removes the reader's waker.
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
    /// Registers a reader for the next notification. `wait` belongs to this notifier from then
    /// on.
    ///
    /// The reader must read the log once more after this and before it sleeps: a notification
    /// may have come between its last read and the registration.
    pub fn register(&self, wait: &mut ReadWait, waker: &Waker) {
        if wait.waiting.is_none() {
            wait.waiting = Some(Arc::clone(&self.waiting));
        }
        self.waiting.lock().register(&mut wait.key, waker);
    }

    /// Notifies the relay that there is something to read.
    pub(super) fn notify(&self) {
        if !self.is_notified.swap(true, Ordering::AcqRel) {
            self.relay.wake();
        }
    }

    /// Resolves once there was a notification since the last call.
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

    /// Removes every registered reader, to be woken.
    pub(super) fn take_waiting(&self) -> impl Iterator<Item = Waker> + use<> {
        self.waiting.lock().take()
    }

    /// Returns the count of registered readers.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.lock().len()
    }
}

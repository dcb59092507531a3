//! Wakes the readers of one thread.
//!
//! The appender must not do work per reader. It notifies each thread, which costs one wake-up,
//! and that thread's relay wakes the readers that wait there. A notification costs nothing
//! while the relay has not handled the last one. On a thread with few readers, a commit on that
//! thread may wake them at once instead ([`Log::wake_readers`](super::Log::wake_readers)).

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::backpressure::TrackedReader;
use super::waiters::{Key, Waiters};
use crate::sync::{AtomicBool, AtomicU64, AtomicWaker, Mutex, Ordering};

/// The readers of one thread that have read everything.
#[derive(Debug)]
pub struct Notifier {
    is_notified: AtomicBool,
    relay: AtomicWaker,
    waiting: Arc<Mutex<Waiters>>,
    /// The round of `waiting`. A reader that still sees the previous round is about to be woken.
    round: AtomicU64,
    /// The position up to which the thread's readers have been woken.
    woken: Mutex<Woken>,
}

#[derive(Debug)]
struct Woken {
    position: u64,
    tracked: TrackedReader,
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
    /// Creates the notifier of one thread. `tracked` shows the thread's progress to publishers.
    pub(super) fn new(tracked: TrackedReader) -> Notifier {
        Notifier {
            is_notified: AtomicBool::new(false),
            relay: AtomicWaker::default(),
            waiting: Arc::default(),
            round: AtomicU64::new(0),
            woken: Mutex::new(Woken {
                position: 0,
                tracked,
            }),
        }
    }

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

    /// Whether a reader of this thread is registered. As after [`Notifier::register`], it must
    /// read the log once more before it sleeps.
    pub fn is_registered(&self, wait: &ReadWait) -> bool {
        let round = self.round.load(Ordering::Relaxed);
        wait.key.is_some_and(|key| key.round() == round)
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
        let mut waiting = self.waiting.lock();
        let taken = waiting.take();
        self.round.store(waiting.round(), Ordering::Relaxed);
        taken
    }

    /// Notes that the readers that waited at `position` have been woken. The log's end is at
    /// `written` now.
    pub(super) fn note_woken(&self, position: u64, written: u64) {
        let mut woken = self.woken.lock();
        woken.position = woken.position.max(position);
        let position = woken.position;
        woken.tracked.note(position, position, written);
    }

    /// Returns the count of registered readers.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.lock().len()
    }
}

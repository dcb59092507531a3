//! Wakes the readers of one thread.
//!
//! The appender must not do work per reader. It notifies each thread, which costs one wake-up,
//! and that thread's relay wakes the readers that wait there. A notification costs nothing
//! while the relay has not handled the last one. On a thread with few readers, a commit on that
//! thread may wake them at once instead ([`Log::wake_readers`](super::Log::wake_readers)).

use std::future::poll_fn;
use std::ops::DerefMut;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::backpressure::TrackedReader;
use super::parts::Parts;
use super::subscribers::{MemberId, Selection, Subscribers};
use super::waiters::{Key, Waiters};
use crate::sync::{AtomicBool, AtomicU64, AtomicWaker, Mutex, Ordering};
use crate::wire::Seq;

/// The readers of one thread that have read everything.
#[derive(Debug)]
pub struct Notifier {
    notified: Signal,
    waiting: Arc<Mutex<Waiters>>,
    /// The round of `waiting`. A reader that still sees the previous round is about to be woken.
    round: AtomicU64,
    /// The position up to which the thread's readers have been woken.
    woken: Mutex<Woken>,
    /// Set for the relay to subscribers.
    notified_for_subscribers: Signal,
    /// The readers of only some broadcasts.
    subscribers: Mutex<Subscribers>,
    has_subscribers: AtomicBool,
    /// How often some subscribers were woken.
    wakes: AtomicU64,
    /// Set once broadcasts were offered to subscribers.
    dispatched: Signal,
}

/// Has one task go on. It is remembered until the task waits, and counts once however often it is
/// set until then.
#[derive(Debug, Default)]
struct Signal {
    is_set: AtomicBool,
    waker: AtomicWaker,
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
            notified: Signal::default(),
            waiting: Arc::default(),
            round: AtomicU64::new(Waiters::default().round()),
            woken: Mutex::new(Woken {
                position: 0,
                tracked,
            }),
            notified_for_subscribers: Signal::default(),
            subscribers: Mutex::default(),
            has_subscribers: AtomicBool::new(false),
            wakes: AtomicU64::new(0),
            dispatched: Signal::default(),
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

    /// Notifies the relays that there is something to read.
    pub(super) fn notify(&self) {
        self.notified.set();
        if self.has_subscribers() {
            self.notify_for_subscribers();
        }
    }

    /// Resolves once there was a notification since the last call.
    pub(super) async fn notified(&self) {
        self.notified.wait().await;
    }

    /// Notifies the relay to subscribers that there is something for them.
    pub(super) fn notify_for_subscribers(&self) {
        self.notified_for_subscribers.set();
    }

    /// Resolves once there was a notification for subscribers since the last call.
    pub(super) async fn notified_for_subscribers(&self) {
        self.notified_for_subscribers.wait().await;
    }

    /// Notes that broadcasts were offered to subscribers.
    pub(super) fn note_dispatched(&self) {
        self.dispatched.set();
    }

    /// Resolves once broadcasts were offered to subscribers since the last call.
    pub(super) async fn dispatched(&self) {
        self.dispatched.wait().await;
    }

    /// Whether there are subscribers.
    pub(super) fn has_subscribers(&self) -> bool {
        self.has_subscribers.load(Ordering::Acquire)
    }

    /// Notes that subscribers are about to be woken.
    pub(super) fn note_wakes(&self, count: usize) {
        if count > 0 {
            self.wakes.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Returns how often some subscribers were woken. While this number and the log's head do not
    /// change, a registered subscriber has nothing new.
    pub(super) fn wakes(&self) -> u64 {
        self.wakes.load(Ordering::Acquire)
    }

    /// Locks the subscribers. The log's parts, if they are needed too, must be locked before.
    pub(super) fn subscribers(&self) -> impl DerefMut<Target = Subscribers> {
        self.subscribers.lock()
    }

    /// Adds a subscriber.
    pub(super) fn add_subscriber(
        &self,
        wanted: Selection<'_>,
        after: Seq,
        parts: &Parts,
    ) -> MemberId {
        let mut subscribers = self.subscribers.lock();
        self.has_subscribers.store(true, Ordering::Release);
        subscribers.add(wanted, after, parts)
    }

    /// Removes a subscriber.
    pub(super) fn remove_subscriber(&self, id: MemberId) {
        let mut subscribers = self.subscribers.lock();
        subscribers.remove(id);
        if subscribers.is_empty() {
            self.has_subscribers.store(false, Ordering::Release);
        }
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
        woken.tracked.note(None, position, position, written);
    }

    /// Returns the count of registered readers.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.lock().len()
    }
}

impl Signal {
    fn set(&self) {
        if !self.is_set.swap(true, Ordering::AcqRel) {
            self.waker.wake();
        }
    }

    /// Resolves once the signal is set, and resets it.
    async fn wait(&self) {
        poll_fn(|cx| {
            self.waker.register(cx.waker());
            if self.is_set.swap(false, Ordering::AcqRel) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

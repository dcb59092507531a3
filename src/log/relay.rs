//! Waking the readers of one thread.
//!
//! The problem: a reader that is woken may write at once, and thousands of them may be woken by one
//! commit. Publishers on the same thread must have their turn in between, and a reader with a filter
//! that is woken late should then find several broadcasts at once: it writes them together.
//!
//! So a thread's tasks wake a bounded number of readers before others have their turn, those with a
//! filter in the order in which something came for them.

use std::task::Waker;
use std::time::Duration;

use super::Log;

/// Readers that are woken before other tasks have their turn.
const WOKEN_AT_ONCE: usize = 64;

/// The time between a broadcast and telling the sessions that it was not for how far the stream is.
const PASSED_DELAY: Duration = Duration::from_millis(500);

impl Log {
    /// Waits for the notifications of one thread and wakes the readers that wait there. One
    /// task on each thread with readers runs this; it never ends.
    ///
    /// # Panics
    /// If the log has no more than `shard` notifiers.
    pub async fn relay(&self, shard: usize) {
        let notifier = self.notifier(shard);
        loop {
            notifier.notified().await;
            let written = self.written();
            let mut waiting = notifier.take_waiting();
            loop {
                let woken = waiting.by_ref().take(WOKEN_AT_ONCE);
                let count = woken.map(Waker::wake).count();
                // Woken readers, and everything else that waits, run before this task does again.
                tokio::task::yield_now().await;
                if count < WOKEN_AT_ONCE {
                    break;
                }
            }
            notifier.note_woken(written, self.written());
        }
    }

    /// Waits for the notifications of one thread and wakes the subscribers that new broadcasts are
    /// for. One task on each thread with readers runs this, beside [`Log::relay`]; it never ends.
    ///
    /// # Panics
    /// If the log has no more than `shard` notifiers.
    pub async fn relay_to_subscribers(&self, shard: usize) {
        let notifier = self.notifier(shard);
        loop {
            notifier.notified_for_subscribers().await;
            while self.wake_subscribers(shard) {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Wakes the waiting readers of this thread, whose number is `shard`, or notifies the
    /// thread's relays if they are many. Call it after
    /// [`Appender::commit_here`](super::Appender::commit_here).
    ///
    /// # Panics
    /// If the log has no more than `shard` notifiers.
    pub fn wake_readers(&self, shard: usize) {
        let notifier = self.notifier(shard);
        if self.wake_subscribers(shard) {
            notifier.notify_for_subscribers();
        }
        if notifier.waiting() > WOKEN_AT_ONCE {
            notifier.notify();
            return;
        }
        let written = self.written();
        notifier.take_waiting().for_each(Waker::wake);
        notifier.note_woken(written, self.written());
    }

    /// Offers new broadcasts to the subscribers of a thread, and wakes some of those that they are
    /// for. Returns whether there are more.
    fn wake_subscribers(&self, shard: usize) -> bool {
        let notifier = self.notifier(shard);
        if !notifier.has_subscribers() {
            return false;
        }
        let (has_moved, wakers, has_more) = {
            let parts = self.read_parts();
            let mut subscribers = notifier.subscribers();
            let has_moved = subscribers.dispatch(&parts);
            let wakers = subscribers.take_wakers(WOKEN_AT_ONCE);
            (has_moved, wakers, subscribers.has_due())
        };
        if has_moved {
            notifier.note_dispatched();
        }
        notifier.note_wakes(wakers.len());
        wakers.into_iter().for_each(Waker::wake);
        has_more
    }

    /// Has the subscribers of one thread tell their sessions how far the stream is, some time after
    /// broadcasts that were not for them. One task on each thread with readers runs this, beside
    /// [`Log::relay`]; it never ends.
    ///
    /// # Panics
    /// If the log has no more than `shard` notifiers. Outside of a tokio runtime with a timer.
    pub async fn relay_passed(&self, shard: usize) {
        let notifier = self.notifier(shard);
        loop {
            notifier.dispatched().await;
            tokio::time::sleep(PASSED_DELAY).await;
            notifier.subscribers().make_passed_due();
            notifier.notify_for_subscribers();
        }
    }
}

//! How many accepted frames have not been answered yet.
//!
//! A counter, because a marker message is no barrier: what an actor waits for
//! outside its mailbox (a handler's future, the hub's answer) is overtaken by it.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use crate::sync::{AtomicUsize, AtomicWaker, Ordering};

/// Counts the frames in work, server-wide.
#[derive(Debug, Clone, Default)]
pub struct InWork {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    count: AtomicUsize,
    waiting: AtomicWaker,
}

/// Some frames in work. Dropping it, answered or not, takes them out of the count.
#[derive(Debug)]
pub struct Work {
    frames: usize,
    shared: Arc<Shared>,
}

impl InWork {
    /// Counts `frames` more.
    pub fn admit(&self, frames: usize) -> Work {
        self.shared.count.fetch_add(frames, Ordering::AcqRel);
        Work {
            frames,
            shared: Arc::clone(&self.shared),
        }
    }

    /// How many are in work now.
    pub fn count(&self) -> usize {
        self.shared.count.load(Ordering::Acquire)
    }

    /// Resolves when nothing is in work. One task at a time may wait.
    pub async fn idle(&self) {
        let _registered = Registered(&self.shared.waiting);
        poll_fn(|cx| {
            self.shared.waiting.register(cx.waker());
            if self.count() == 0 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

/// A registered waiter. Dropping it removes the waker, whether it was woken or not.
struct Registered<'a>(&'a AtomicWaker);

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let before = self.shared.count.fetch_sub(self.frames, Ordering::AcqRel);
        if before == self.frames {
            self.shared.waiting.wake();
        }
    }
}

#[cfg(all(test, shuttle))]
mod interleavings;
#[cfg(all(test, not(shuttle)))]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn idle_waits_for_the_last_work() {
        let in_work = InWork::default();
        let (one, two) = (in_work.admit(1), in_work.admit(2));
        assert_eq!(in_work.count(), 3);
        drop(one);
        assert!(in_work.idle().now_or_never().is_none());
        drop(two);
        assert!(in_work.idle().now_or_never().is_some());
    }

    #[test]
    fn waiter_that_stops_leaves_no_waker() {
        let in_work = InWork::default();
        let _work = in_work.admit(1);
        assert!(in_work.idle().now_or_never().is_none());
        assert!(in_work.shared.waiting.take().is_none());
    }
}

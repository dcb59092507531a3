//! Waking the readers of one thread.
//!
//! The appender must not do work a reader. It rings each thread's bell, which
//! costs one wake-up, and the thread's own relay wakes the readers that wait
//! there. A ring while the last one has not been heard costs nothing.

use std::future::poll_fn;
use std::task::{Poll, Waker};

use crate::sync::{AtomicBool, AtomicWaker, Mutex, Ordering};

/// The readers of one thread that have read everything.
#[derive(Debug, Default)]
pub struct Bell {
    rung: AtomicBool,
    relay: AtomicWaker,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Counts the times that all were woken.
    round: u64,
    wakers: Vec<Waker>,
}

/// A reader's place in the queue at a bell: it stands there at most once.
#[derive(Debug, Default)]
pub struct Place {
    /// The round in which it queued, plus one.
    round: u64,
}

impl Bell {
    /// Queues a reader for the next ring.
    ///
    /// The reader must look at the log once more after this, and before it
    /// sleeps: a ring may have come between its last look and the queueing.
    pub fn wait(&self, place: &mut Place, waker: &Waker) {
        let mut waiting = self.waiting.lock();
        let round = waiting.round + 1;
        if place.round != round {
            place.round = round;
            waiting.wakers.push(waker.clone());
        }
    }

    /// Says that there is something to read.
    pub(super) fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.relay.wake();
        }
    }

    /// Resolves once the bell was rung since the last time.
    pub(super) async fn rung(&self) {
        poll_fn(|cx| {
            self.relay.register(cx.waker());
            if self.rung.swap(false, Ordering::AcqRel) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Wakes every reader that waits.
    pub(super) fn wake_all(&self) {
        let wakers = {
            let mut waiting = self.waiting.lock();
            waiting.round += 1;
            std::mem::take(&mut waiting.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}

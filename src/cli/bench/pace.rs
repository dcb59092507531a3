//! So many a second, to some 50 microseconds: tokio's own timer counts
//! milliseconds, which would be most of the latency that is measured.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep};

/// Waits that are shorter are the thread's own: it has nothing else to do. They
/// are the system's timer's, which is exact.
const SHORT: Duration = Duration::from_millis(2);

/// When each of a run of messages is due.
pub(super) struct Pace {
    began: Instant,
    every: f64,
    long: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    /// `rate` a second, from now on.
    pub(super) fn new(rate: f64) -> Pace {
        Pace {
            began: Instant::now(),
            every: 1.0 / rate,
            long: None,
        }
    }

    /// When that message is due.
    pub(super) fn at(&self, message: u64) -> Instant {
        self.began + Duration::from_secs_f64(self.every * message as f64)
    }

    pub(super) fn is_due(&self, message: u64) -> bool {
        self.at(message) <= Instant::now()
    }

    /// Sees to it that the task is polled again when that message is due, or soon
    /// before. It may hold the thread up until then.
    pub(super) fn wait(&mut self, cx: &mut Context<'_>, message: u64) {
        let left = self.at(message).saturating_duration_since(Instant::now());
        if left <= SHORT {
            std::thread::sleep(left);
            cx.waker().wake_by_ref();
            return;
        }
        let long = self.long.insert(Box::pin(sleep(left - SHORT)));
        if let Poll::Ready(()) = long.as_mut().poll(cx) {
            cx.waker().wake_by_ref();
        }
    }
}

//! Wakes a task at a moment, to some 50 microseconds: tokio's own timer counts
//! milliseconds, which would be most of the latency that is measured.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep};

/// A wait that is shorter blocks the thread, which has nothing else to do. The system's
/// timer is exact.
const SHORT: Duration = Duration::from_millis(2);

/// A task's timer.
#[derive(Debug, Default)]
pub(super) struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Wakes the task at this moment or a little before. May block the thread until then.
    pub(super) fn wake_at(&mut self, cx: &mut Context<'_>, at: Instant) {
        let left = at.saturating_duration_since(Instant::now());
        if left <= SHORT {
            std::thread::sleep(left);
            cx.waker().wake_by_ref();
            return;
        }
        let sleep = self
            .0
            .get_or_insert_with(|| Box::pin(sleep(Duration::ZERO)));
        sleep.as_mut().reset((at - SHORT).into());
        if let Poll::Ready(()) = sleep.as_mut().poll(cx) {
            cx.waker().wake_by_ref();
        }
    }
}

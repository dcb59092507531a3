//! Wakes a task at a time that may change.

use std::future::Future;
use std::pin::Pin;
use std::task::Context as TaskContext;
use std::time::Instant;

use tokio::time::{Sleep, sleep_until};

/// Wakes the task that polls it.
#[derive(Default)]
pub(super) struct DeadlineTimer {
    /// The timer, and what it is set to; none is set where nothing is due.
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl DeadlineTimer {
    /// Whether `due` has come; where not, the task is woken then.
    ///
    /// # Panics
    /// Outside of a tokio runtime with timers.
    pub(super) fn poll(&mut self, due: Option<Instant>, cx: &mut TaskContext<'_>) -> bool {
        let Some(due) = due else {
            self.timer = None;
            return false;
        };
        let (set_to, timer) = self
            .timer
            .get_or_insert_with(|| (due, Box::pin(sleep_until(due.into()))));
        if *set_to != due {
            *set_to = due;
            timer.as_mut().reset(due.into());
        }
        // Timers have the grain of a millisecond: it may be rung a little early or late.
        let is_over = due <= Instant::now();
        is_over || (timer.as_mut().poll(cx).is_ready() && self.ring_again(cx))
    }

    /// A timer that has rung early is asked again.
    fn ring_again(&mut self, cx: &TaskContext<'_>) -> bool {
        self.timer = None;
        cx.waker().wake_by_ref();
        false
    }
}

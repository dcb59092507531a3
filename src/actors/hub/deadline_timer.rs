//! Wakes a task at a time that may change.

use std::future::Future;
use std::pin::Pin;
use std::task::Context as TaskContext;
use std::time::Instant;

use tokio::time::{Sleep, sleep_until};

/// Wakes the task that polls it.
#[derive(Default)]
pub(super) struct DeadlineTimer {
    /// The timer and its deadline; `None` if nothing is due.
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl DeadlineTimer {
    /// Returns whether `due` has passed; if not, the task is woken then.
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
        // Timers have a resolution of a millisecond, and may fire a little early or late.
        let is_over = due <= Instant::now();
        is_over || (timer.as_mut().poll(cx).is_ready() && self.retry(cx))
    }

    /// Polls again after a timer that has fired early.
    fn retry(&mut self, cx: &TaskContext<'_>) -> bool {
        self.timer = None;
        cx.waker().wake_by_ref();
        false
    }
}

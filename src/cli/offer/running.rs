//! The calls that are in work, whose processes must not outlive this one.
//!
//! They run on the network thread, which has no end of its own. So the end of the command waits
//! until each has dropped its process.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// The longest time that the end waits, on a machine that is too busy.
const LONGEST: Duration = Duration::from_secs(1);

/// The calls that are in work.
pub(super) struct RunningCalls {
    is_ended: watch::Sender<bool>,
    count: watch::Sender<usize>,
}

impl RunningCalls {
    pub(super) fn new() -> RunningCalls {
        RunningCalls {
            is_ended: watch::Sender::new(false),
            count: watch::Sender::new(0),
        }
    }

    /// Does the work of a call. At the end of the command the work is dropped, and this does not
    /// return: the call has no answer.
    pub(super) async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut ended = self.is_ended.subscribe();
        let running = Running::begin(&self.count);
        let outcome = tokio::select! {
            biased;
            _ = ended.wait_for(|is_ended| *is_ended) => None,
            outcome = work => Some(outcome),
        };
        drop(running);
        match outcome {
            Some(outcome) => outcome,
            None => std::future::pending().await,
        }
    }

    /// Drops the work of all calls, and waits until that is done. No further work begins.
    pub(super) async fn end(&self) {
        self.is_ended.send_replace(true);
        let mut count = self.count.subscribe();
        let none = count.wait_for(|count| *count == 0);
        let _ = timeout(LONGEST, none).await; // the processes may outlive this one then
    }
}

/// Counts a call while it is in work.
struct Running<'a>(&'a watch::Sender<usize>);

impl<'a> Running<'a> {
    fn begin(count: &'a watch::Sender<usize>) -> Running<'a> {
        count.send_modify(|count| *count += 1);
        Running(count)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn end_drops_the_work_and_begins_no_other() {
        let calls = Arc::new(RunningCalls::new());
        assert_eq!(calls.run(async { 7 }).await, 7);
        let alive = Arc::new(());
        for _ in 0..3 {
            let (calls, alive) = (Arc::clone(&calls), Arc::clone(&alive));
            tokio::spawn(async move {
                let work = async {
                    let _alive = alive;
                    std::future::pending::<()>().await;
                };
                calls.run(work).await;
            });
        }
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&alive), 4);
        calls.end().await;
        assert_eq!(Arc::strong_count(&alive), 1);
        let late = timeout(Duration::from_millis(1), calls.run(async { 7 }));
        assert!(late.await.is_err(), "it has no answer");
    }
}

//! Runs blocking work with a deadline.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Runs `work` on a new thread and waits for it, at most `limit`. `None`: the work is not done
/// yet (it continues until the process ends), or it panicked.
///
/// # Errors
/// The thread cannot be started; the work was not done.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Option<T>> {
    let (done, outcome) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        let _ = done.send(work()); // the receiver may have timed out
    })?;
    Ok(outcome.recv_timeout(limit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hanging_work_is_not_waited_for() {
        let (_keep, never) = mpsc::channel::<()>();
        let hung = within(Duration::ZERO, move || never.recv());
        assert_eq!(hung.expect("a thread"), None);
        let done = within(Duration::from_secs(50), || 7);
        assert_eq!(done.expect("a thread"), Some(7));
    }
}

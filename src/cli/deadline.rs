//! Work that may block, with a deadline.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Runs `work` on a thread of its own and waits for it, for `limit` at most. `None`: it was
/// not done by then (it goes on, and ends with the process), or it panicked.
///
/// # Errors
/// The system has no thread to give: nothing was done.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Option<T>> {
    let (done, outcome) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        let _ = done.send(work()); // nobody may wait any more
    })?;
    Ok(outcome.recv_timeout(limit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_hangs_is_not_waited_for() {
        let (_keep, never) = mpsc::channel::<()>();
        let hung = within(Duration::ZERO, move || never.recv());
        assert_eq!(hung.expect("a thread"), None);
        let done = within(Duration::from_secs(50), || 7);
        assert_eq!(done.expect("a thread"), Some(7));
    }
}

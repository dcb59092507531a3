//! Blocking work on a thread of its own.
//!
//! A runtime that is dropped waits for its blocking threads, however long a disk hangs. A
//! plain thread ends with the process instead.

use tokio::sync::oneshot;

/// Runs `work` on a thread of its own. The receiver fails if `work` panics, or if the system
/// starts no thread.
pub(super) fn on_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> oneshot::Receiver<T> {
    let (done, outcome) = oneshot::channel();
    let spawned = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let _ = done.send(work()); // the receiver may be gone
        });
    if let Err(error) = spawned {
        tracing::error!(thread = name, %error, "thread not started");
    }
    outcome
}

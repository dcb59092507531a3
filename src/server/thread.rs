//! Work that blocks, on a thread that nobody has to wait for.
//!
//! A runtime waits for its blocking threads when it is dropped, however long a disk hangs.
//! A thread of its own goes with the process.

use tokio::sync::oneshot;

/// Runs `work` on a thread of its own. The receiver fails where `work` panicked, or where
/// the system has no thread to give.
pub(super) fn on_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> oneshot::Receiver<T> {
    let (done, outcome) = oneshot::channel();
    let spawned = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let _ = done.send(work()); // nobody may wait any more
        });
    if let Err(error) = spawned {
        tracing::error!(thread = name, %error, "thread not started");
    }
    outcome
}

//! Runs short blocking tasks on a thread, in order, without waiting for them.

use std::sync::mpsc::{SyncSender, sync_channel};

type Task = Box<dyn FnOnce() + Send>;

/// The most tasks that may be queued; more are dropped.
const MAX_QUEUED: usize = 16;

/// A thread that runs tasks in order. If it cannot be started, all tasks are dropped. Clones share
/// the thread.
#[derive(Clone)]
pub(super) struct BackgroundTasks(Option<SyncSender<Task>>);

impl BackgroundTasks {
    pub(super) fn begin(name: &str) -> BackgroundTasks {
        let (sender, tasks) = sync_channel::<Task>(MAX_QUEUED);
        let spawned = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                while let Ok(task) = tasks.recv() {
                    task();
                }
            });
        BackgroundTasks(spawned.ok().map(|_| sender))
    }

    /// Runs `task`, unless too many are queued already.
    pub(super) fn run(&self, task: impl FnOnce() + Send + 'static) {
        let sent = self
            .0
            .as_ref()
            .map(|sender| sender.try_send(Box::new(task)));
        if !matches!(sent, Some(Ok(()))) {
            tracing::warn!("background queue is full; task dropped");
        }
    }
}

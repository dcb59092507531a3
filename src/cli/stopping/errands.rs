//! Small work that may block, one piece after the other, which nobody waits for.

use std::sync::mpsc::{SyncSender, sync_channel};

type Errand = Box<dyn FnOnce() + Send>;

/// Pieces that may wait; more are dropped.
const WAITING: usize = 4;

/// A thread that does what it is given, in order.
pub(super) struct Errands(Option<SyncSender<Errand>>);

impl Errands {
    pub(super) fn begin(name: &str) -> Errands {
        let (sender, errands) = sync_channel::<Errand>(WAITING);
        let spawned = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                while let Ok(errand) = errands.recv() {
                    errand();
                }
            });
        Errands(spawned.ok().map(|_| sender))
    }

    /// Has `errand` done, unless too many wait already.
    pub(super) fn run(&self, errand: impl FnOnce() + Send + 'static) {
        let sent = self
            .0
            .as_ref()
            .map(|sender| sender.try_send(Box::new(errand)));
        if !matches!(sent, Some(Ok(()))) {
            tracing::warn!("too much waits already, not done");
        }
    }
}

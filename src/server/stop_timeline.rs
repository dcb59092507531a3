//! When each actor other than a session was sealed, and when it stopped.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::close::{ActorLine, ActorName, Micros, Stopwatch};

/// The times of a stop; clones share them.
#[derive(Debug, Clone)]
pub(super) struct StopTimeline {
    stopwatch: Stopwatch,
    lines: Arc<Mutex<Vec<ActorLine>>>,
}

impl StopTimeline {
    pub(super) fn new(stopwatch: Stopwatch) -> StopTimeline {
        StopTimeline {
            stopwatch,
            lines: Arc::default(),
        }
    }

    /// Notes that `actor` takes nothing more.
    pub(super) fn sealed(&self, actor: &ActorName) {
        self.note(actor, |line| &mut line.sealed_us);
    }

    /// Notes that `actor` has confirmed its stop.
    pub(super) fn stopped(&self, actor: &ActorName) {
        self.note(actor, |line| &mut line.stopped_us);
    }

    pub(super) fn lines(&self) -> Vec<ActorLine> {
        self.lines.lock().clone()
    }

    /// Sets a time that is not set yet.
    fn note(&self, actor: &ActorName, of: impl FnOnce(&mut ActorLine) -> &mut Option<Micros>) {
        let mut lines = self.lines.lock();
        let index = lines.iter().position(|line| line.actor == *actor);
        let index = index.unwrap_or_else(|| {
            lines.push(ActorLine {
                actor: actor.clone(),
                sealed_us: None,
                stopped_us: None,
            });
            lines.len() - 1
        });
        let time = of(&mut lines[index]);
        *time = time.or_else(|| self.stopwatch.now());
    }
}

//! A run of publishes on its way to the hub.

use super::numbered::{NumberedFrame, NumberedFrames, Problem};
use super::work::Ids;
use crate::actors::hub::{Bodies, NumberedBodies};
use crate::wire::Publish;

/// Publishes that go to the hub in one message, at most.
pub(super) const RUN_FRAMES: usize = 4096;
const RUN_BYTES: usize = 256 * 1024;

/// Publishes that go to the hub in one message: all of them with a number, or none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Run {
    Plain { ids: Ids, bodies: Bodies },
    Numbered(NumberedRun),
}

/// Publishes that their producers have numbered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct NumberedRun {
    pub(super) frames: NumberedFrames,
    pub(super) messages: NumberedBodies,
}

impl Run {
    /// An empty run of publishes without numbers.
    pub(super) fn plain() -> Run {
        Run::Plain {
            ids: Ids::default(),
            bodies: Bodies::default(),
        }
    }

    /// An empty run of publishes with numbers.
    pub(super) fn numbered() -> Run {
        Run::Numbered(NumberedRun::default())
    }

    /// Whether its publishes have numbers.
    pub(super) fn is_numbered(&self) -> bool {
        matches!(self, Run::Numbered(_))
    }

    /// Whether it takes no further publish, where `limit` frames may be in work.
    pub(super) fn is_full(&self, limit: usize) -> bool {
        let (frames, bytes) = match self {
            Run::Plain { ids, bodies } => (ids.len(), bodies.bytes()),
            Run::Numbered(run) => (run.frames.len(), run.messages.bytes()),
        };
        frames >= RUN_FRAMES.min(limit) || bytes >= RUN_BYTES
    }

    /// Adds a publish to a run without numbers.
    pub(super) fn push(&mut self, publish: &Publish<'_>) {
        if let Run::Plain { ids, bodies } = self {
            ids.push(publish.id);
            bodies.push(&publish.body);
        }
    }

    /// Adds a publish to a run with numbers.
    pub(super) fn push_numbered(
        &mut self,
        publish: &Publish<'_>,
        (producer, n): (&str, u64),
        problem: Option<Problem>,
    ) {
        if let Run::Numbered(NumberedRun { frames, messages }) = self {
            let id = publish.id;
            match problem {
                None => messages.push(producer, n, &publish.body),
                Some(_) => messages.push_refused(producer, n),
            }
            frames.push(NumberedFrame { id, problem });
        }
    }
}

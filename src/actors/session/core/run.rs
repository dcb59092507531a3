//! A run of publishes on its way to the hub.

use super::judged::{JudgedFrame, JudgedFrames, Problem};
use super::work::Ids;
use crate::actors::hub::{Contents, JudgedContents};
use crate::wire::Publish;

/// Publishes that go to the hub in one message, at most.
pub(super) const RUN_FRAMES: usize = 4096;
const RUN_BYTES: usize = 256 * 1024;

/// Publishes that go to the hub in one message: it judges each of them, or none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Run {
    Plain { ids: Ids, contents: Contents },
    Judged(JudgedRun),
}

/// Publishes that the hub judges one by one: they have a number or a value to keep.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct JudgedRun {
    pub(super) frames: JudgedFrames,
    pub(super) messages: JudgedContents,
}

impl Run {
    /// A run of publishes that the hub judges one by one, or of others.
    pub(super) fn empty(is_judged: bool) -> Run {
        match is_judged {
            true => Run::Judged(JudgedRun::default()),
            false => Run::Plain {
                ids: Ids::default(),
                contents: Contents::default(),
            },
        }
    }

    /// Whether the hub judges its publishes one by one.
    pub(super) fn is_judged(&self) -> bool {
        matches!(self, Run::Judged(_))
    }

    /// Whether it takes no further publish, where `limit` frames may be in work.
    pub(super) fn is_full(&self, limit: usize) -> bool {
        let (frames, bytes) = match self {
            Run::Plain { ids, contents } => (ids.len(), contents.bytes()),
            Run::Judged(run) => (run.frames.len(), run.messages.bytes()),
        };
        frames >= RUN_FRAMES.min(limit) || bytes >= RUN_BYTES
    }

    /// Adds a publish. Only one of a judged run has a number, a problem, or a value to keep.
    pub(super) fn push(
        &mut self,
        publish: &Publish<'_>,
        number: Option<(&str, u64)>,
        problem: Option<Problem>,
    ) {
        let id = publish.id;
        match self {
            Run::Plain { ids, contents } => {
                ids.push(id);
                contents.push_publish(publish);
            }
            Run::Judged(JudgedRun { frames, messages }) => {
                match number.filter(|_| problem.is_some()) {
                    None => messages.push(number, publish),
                    Some(number) => messages.push_refused(number),
                }
                frames.push(JudgedFrame { id, problem });
            }
        }
    }
}

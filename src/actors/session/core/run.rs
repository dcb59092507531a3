//! A run of publishes on its way to the hub.

use super::work::Ids;
use crate::actors::hub::Bodies;
use crate::wire::Publish;

/// Publishes that go to the hub in one message, at most.
pub(super) const RUN_FRAMES: usize = 4096;
const RUN_BYTES: usize = 256 * 1024;

/// Publishes that go to the hub in one message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Run {
    ids: Ids,
    bodies: Bodies,
}

impl Run {
    /// Whether it takes no further publish, where `limit` frames may be in work.
    pub(super) fn is_full(&self, limit: usize) -> bool {
        self.ids.len() >= RUN_FRAMES.min(limit) || self.bodies.bytes() >= RUN_BYTES
    }

    pub(super) fn push(&mut self, publish: &Publish<'_>) {
        self.ids.push(publish.id);
        self.bodies.push(&publish.body);
    }

    pub(super) fn into_parts(self) -> (Ids, Bodies) {
        (self.ids, self.bodies)
    }
}

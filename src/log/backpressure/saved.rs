//! A reader's progress, written down.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{Backpressure, TrackedReader};
use crate::saved_time::{SavedTime, TimeOutOfRange};

/// The state of a [`TrackedReader`]. Whether it lags is not in it: the reader says so again when
/// its socket is full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedProgress {
    is_live: bool,
    moved_at: Option<SavedTime>,
    taken: u64,
}

impl TrackedReader {
    pub(crate) fn save(&self, now: Instant) -> SavedProgress {
        let TrackedReader {
            is_live,
            moved_at,
            taken,
            index: _,
            state: _,
        } = self;
        SavedProgress {
            is_live: *is_live,
            moved_at: moved_at.map(|at| SavedTime::save(at, now)),
            taken: *taken,
        }
    }
}

impl Backpressure {
    /// Returns the progress that was saved.
    pub(crate) fn restore(
        &self,
        saved: SavedProgress,
        now: Instant,
    ) -> Result<TrackedReader, TimeOutOfRange> {
        let moved_at = saved.moved_at.map(|at| at.restore(now));
        let mut reader = self.reader();
        reader.is_live = saved.is_live;
        reader.moved_at = moved_at.transpose()?;
        reader.taken = saved.taken;
        Ok(reader)
    }
}

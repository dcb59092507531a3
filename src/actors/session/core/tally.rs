//! Counts of a session's frames since its login, and the times of its end.

use serde::{Deserialize, Serialize};

use crate::close::{Micros, Times};

/// The counts and times of a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tally {
    accepted: u64,
    answered: u64,
    refused: u64,
    bad_credentials: u32,
    /// Boxed, as they are noted only while the server stops.
    times: Option<Box<Times>>,
}

impl Tally {
    /// Notes frames that were admitted.
    pub(super) fn accept(&mut self, frames: u64) {
        self.accepted += frames;
    }

    /// Notes the answers to frames that were admitted.
    pub(super) fn answer(&mut self, frames: u64) {
        self.answered += frames;
    }

    /// Notes a frame that was refused because the server stops.
    pub(super) fn refuse(&mut self) {
        self.refused += 1;
    }

    /// Turns answered frames into refused ones: the log was sealed before their turn.
    pub(super) fn refuse_after_all(&mut self, frames: u64) {
        self.accepted -= frames;
        self.answered -= frames;
        self.refused += frames;
    }

    /// Notes a wrong password, and returns how many there have been.
    pub(super) fn bad_credentials(&mut self) -> u32 {
        self.bad_credentials += 1;
        self.bad_credentials
    }

    /// Whether no frame has been admitted or refused.
    pub(super) fn is_untouched(&self) -> bool {
        self.accepted + self.refused == 0
    }

    /// Whether these are counts that a session can have had: no more answers than frames, and
    /// never more than can be counted on from.
    #[cfg(any(test, fuzzing))]
    pub(super) fn is_possible(&self) -> bool {
        const MOST: u64 = u64::MAX / 4;
        self.answered <= self.accepted
            && self.accepted <= MOST
            && self.refused <= MOST
            && self.bad_credentials <= u32::MAX / 2
    }

    pub(super) fn accepted(&self) -> u64 {
        self.accepted
    }

    pub(super) fn answered(&self) -> u64 {
        self.answered
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    /// Notes that a point of the end is reached at `now`, once the server stops.
    pub(super) fn note_time(
        &mut self,
        now: Option<Micros>,
        point: impl FnOnce(&mut Times) -> &mut Option<Micros>,
    ) {
        if let Some(now) = now {
            *point(self.times.get_or_insert_default()) = Some(now);
        }
    }

    pub(super) fn times(&self) -> Times {
        self.times.as_deref().copied().unwrap_or_default()
    }
}

//! When a stop began.

use std::time::Instant;

use crate::wire::Millis;

/// When a stop began, by both clocks.
#[derive(Clone, Copy)]
pub(super) struct Began {
    /// By the clock that cannot be set.
    pub(super) at: Instant,
    /// For the report.
    pub(super) wall_clock: Millis,
}

impl Began {
    /// Returns the present moment.
    pub(super) fn now() -> Began {
        Began {
            at: Instant::now(),
            wall_clock: Millis::now(),
        }
    }
}

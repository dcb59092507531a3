//! Time since the stop began, which everything that ends is told in.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// Microseconds since the stop began.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Micros(pub u64);

/// Runs from the moment that the stop begins; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Stopwatch {
    began: Arc<OnceLock<Instant>>,
}

impl Stopwatch {
    /// Begins to run at `now`, if it does not run yet.
    pub fn begin(&self, now: Instant) {
        let _ = self.began.set(now); // the first stop counts
    }

    /// The time since the stop began; `None` before.
    pub fn now(&self) -> Option<Micros> {
        let began = self.began.get()?;
        let passed = began.elapsed().as_micros();
        Some(Micros(u64::try_from(passed).unwrap_or(u64::MAX)))
    }
}

/// The times at which a session came to each point of its end. A point that came before
/// the stop, or never, has no time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Times {
    /// Its cut was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Micros>,
    /// It answered a frame for the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_reply: Option<Micros>,
    /// A broadcast was written to it for the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_broadcast: Option<Micros>,
    /// `closing` was put behind all the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<Micros>,
    /// It was over: nothing was read or written any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Micros>,
}

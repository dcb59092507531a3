//! The phases of a stop, in order.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::named::impl_named;
use crate::parse_error::ParseError;

/// A phase of a stop. The phases follow one another in this order, each at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Phase {
    /// The first reason is recorded; the service manager is told.
    Trigger,
    /// New connections are refused, and so are logins in work.
    Seal,
    /// Each session gets its cut: what comes after it is refused.
    Announce,
    /// Frames that were accepted before the cut are answered.
    Requests,
    /// The log is sealed; its head is what every session must reach.
    Hub,
    /// Every session is written up to the head, and `closing` behind it.
    Drain,
    /// Write sides are shut, input is read to its end.
    Close,
    /// Sessions, then the hub, then auth; each confirms that it has stopped.
    Actors,
    /// The last checkpoint; the threads are joined.
    Store,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Phase; 9] = [
        Phase::Trigger,
        Phase::Seal,
        Phase::Announce,
        Phase::Requests,
        Phase::Hub,
        Phase::Drain,
        Phase::Close,
        Phase::Actors,
        Phase::Store,
    ];

    /// Returns the phase's name on the wire and in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Trigger => "trigger",
            Phase::Seal => "seal",
            Phase::Announce => "announce",
            Phase::Requests => "requests",
            Phase::Hub => "hub",
            Phase::Drain => "drain",
            Phase::Close => "close",
            Phase::Actors => "actors",
            Phase::Store => "store",
        }
    }

    /// Returns the phase that follows this one; `None` after the last.
    pub fn next(self) -> Option<Phase> {
        let place = Phase::ALL.iter().position(|known| *known == self)?;
        Phase::ALL.get(place + 1).copied()
    }
}

impl_named!(Phase);

impl FromStr for Phase {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let phase = Phase::ALL.into_iter().find(|phase| phase.as_str() == text);
        phase.ok_or_else(|| ParseError::new("phase", text, "a phase of a stop, such as drain"))
    }
}

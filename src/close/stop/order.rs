//! The orders that the supervisor gives to sessions.

use std::time::Duration;

use crate::close::{Phase, StopReason};
use crate::wire::Seq;

/// Where a stop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status {
    /// Why the server stops.
    pub reason: StopReason,
    /// The phase that it is in.
    pub phase: Phase,
    /// The time until the server has ended at the latest.
    pub remaining: Duration,
}

/// An order to a session. The session answers with its record when it has carried it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Make the cut: refuse the frames that come after it.
    Announce(Status),
    /// Write the broadcasts up to this seq, then `closing`, and wait until it is read.
    Drain(Seq),
    /// Shut the write side and read the input to its end. Wait this long for a client that
    /// has read everything and does not close.
    Close(Duration),
    /// Tell how far the session is, and change nothing.
    Describe,
    /// End the session if its account no longer grants it anything.
    CheckStanding,
    /// Stop.
    Finish,
}

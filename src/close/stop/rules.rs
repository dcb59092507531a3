//! The decisions that the guarantees rest on, one method each.
//!
//! The server runs with [`Contract`]. The model checker replaces one decision at a time and
//! shows that the result breaks a guarantee.

use crate::close::Phase;

/// The decisions of a stop. The defaults are the contract.
pub trait StopRules {
    /// Returns the phase that follows `phase`; `None` after the last.
    fn next(&self, phase: Phase) -> Option<Phase> {
        phase.next()
    }

    /// Whether phases end at their deadlines.
    fn has_deadlines(&self) -> bool {
        true
    }

    /// Whether the requests phase waits until no accepted request is in work.
    fn awaits_requests(&self) -> bool {
        true
    }

    /// Whether sessions are drained to the head that the seal of the log returned, instead
    /// of the head at the moment that the seal was asked for.
    fn takes_head_from_seal(&self) -> bool {
        true
    }

    /// Whether a log that was not sealed in time is reported.
    fn reports_unsealed_log(&self) -> bool {
        true
    }

    /// Whether listeners that were not sealed in time are reported.
    fn reports_unsealed_listeners(&self) -> bool {
        true
    }
}

/// The contract: every default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Contract;

impl StopRules for Contract {}

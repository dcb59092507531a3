//! The decisions that a session's guarantees rest on, one method each.
//!
//! The server runs with [`Contract`]. The model checker replaces one decision at a time and
//! shows that the result breaks a guarantee. Calls are dispatched statically, so that the
//! contract's constants cost nothing.

/// The decisions of a session. The defaults are the contract.
pub trait SessionRules {
    /// Whether a shutdown's cut holds: frames that come behind it are refused.
    fn keeps_cut(&self) -> bool {
        true
    }

    /// Whether `closing` waits until all work is done.
    fn awaits_work(&self) -> bool {
        true
    }

    /// Whether `closing` waits for the session's calls, and for those that it is to answer.
    fn awaits_calls(&self) -> bool {
        true
    }

    /// Whether a frame that is no publish waits for the answers to earlier frames.
    fn keeps_order(&self) -> bool {
        true
    }

    /// Whether an ack of a broadcast that was not sent has no effect.
    fn checks_acks(&self) -> bool {
        true
    }

    /// Whether a session that ended by itself, and was cut short, is owed the broadcasts up to
    /// its cut.
    fn owes_up_to_cut(&self) -> bool {
        true
    }
}

/// The contract: every default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Contract;

impl SessionRules for Contract {}

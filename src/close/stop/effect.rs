//! The effects of the stop machine.

use std::time::Duration;

use super::order::Order;
use super::outcome::StopOutcome;
use crate::close::{PhaseLine, StopReason};
use crate::wire::SessionId;

/// Something to do. Effects are carried out in the order in which they are returned.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// The stop begins: its time runs from now on. Answer with `Begun`.
    Begin(StopReason),
    /// Let the store wait for other processes until this time since the stop began.
    LimitStore(Duration),
    /// Accept no more connections and refuse unfinished logins. Answer with
    /// `ListenersSealed`, also after the phase.
    SealListeners,
    /// Give these sessions an order. Answer with `Answered` for each.
    Order {
        /// The order.
        order: Order,
        /// The sessions, by number.
        sessions: Vec<SessionId>,
    },
    /// Answer with `RequestsIdle` when no accepted request is in work.
    AwaitRequests,
    /// Take no more broadcasts. Answer with `LogSealed`.
    SealLog,
    /// Stop the hub, then auth. Answer with `ActorsStopped`.
    StopActors,
    /// Close the store and end every thread. Answer with `StoreClosed`.
    CloseStore,
    /// A phase is over: what was started in it need not be waited for any more, except
    /// `SealListeners` and the order to announce.
    PhaseOver(PhaseLine),
    /// Answer with `Observed`.
    Observe,
    /// The server has stopped.
    Finish(StopOutcome),
}

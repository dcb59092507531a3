//! Services: requests that other clients answer.
//!
//! The problem: a session that calls a service must get exactly one answer, whatever happens to the
//! sessions that offer it, and neither a slow responder nor a flood of calls may take more than a
//! bounded amount of memory, or make others wait without end.
//!
//! [`Services`] is shared by all sessions. `registry` decides which session gets a call and how each
//! call ends (`service` has the offers of one service, `participant` one session's part, `record` one
//! call). A session takes part by a [`Membership`]: it makes calls, takes what it is told
//! ([`Membership::take`]) while its output has room, and leaves when the membership is dropped.
//! Deadlines are the callers' own: a session cancels its call when the time is over.
//!
//! The server offers the services that it has handlers for, as sessions do (`registry/own`). The calls
//! that ended last are held for the report of a stop (`history`).

mod call;
mod history;
#[cfg(all(test, shuttle))]
mod interleavings;
mod limits;
mod membership;
mod participant;
mod participants;
mod record;
mod registry;
mod service;
mod service_table;
mod statistics;
mod task_waker;
#[cfg(test)]
mod tests;
mod waiting;

pub use call::{
    CallAnswer, CallId, CallOutcome, CallRefusal, GivenCall, NewCall, Payload, ServiceEvent,
    Unavailability,
};
pub use limits::ServiceLimits;
pub use membership::{MadeCall, Membership, Services};
pub use participants::Wakes;
pub use registry::Registry;
pub use service::{OfferRefusal, TooManyWithdrawals};
pub use service_table::ServiceInfo;

//! The session: one connection's side of the protocol.
//!
//! Problem: a session has rules (states, order of answers, what is owed at the end), a
//! connection, and an actor's life. Mixed, none of them can be read or checked alone. So each
//! stands in a place of its own:
//!
//! - [`core`] decides. It has no I/O, no actor and no clock.
//! - `inlet` turns bytes or messages into frames.
//! - `outlet` turns answers and broadcasts into bytes, and reads the log and the journal.
//! - `io` is the core's outside: connection, log, other actors. It carries out effects.
//! - `driver` is the loop that receives, serves and writes. Nothing else touches the
//!   connection.
//! - `delivery` has the driver write new broadcasts without a run of the actor.
//! - `events`, `audited` and `traces` tell the log and the audit log what happens.
//! - `actor` is the shell: the actor's life, its orders and its timer.
//!
//! The driver stops reading while a frame is in work or answers pile up, so that a client's own
//! pace is the only queue there is.

mod actor;
mod audited;
pub mod core;
mod cursors;
mod delivery;
mod driver;
mod entrance;
mod events;
mod inlet;
mod io;
mod jobs;
mod lazy_queue;
mod listener_context;
#[cfg(test)]
mod memory_link;
mod outlet;
#[cfg(any(test, fuzzing))]
pub mod saved;
mod services_io;
mod traces;

pub use self::actor::Session;
pub use self::core::hears::Hears;
pub use self::core::policy::{ConnectRefusal, FeatureLimits, SessionLimits, SlowPolicy};
pub use self::listener_context::{ListenerContext, Start};

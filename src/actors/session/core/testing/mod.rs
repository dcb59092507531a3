//! The outside of a session, made of plain values: a double for tests and for the fuzz target.
//!
//! [`Outside`] implements [`Effects`]. A test sets what the core may ask (the output's state, the
//! evidence, the log's head, the time of a stop) and looks at what the core did: the frames of
//! its answers, byte for byte, and all other effects in their order. [`Run`] has a core, its
//! outside and the time, and does what the driver does around them. [`drive`] takes
//! inputs in any order.

mod changes;
pub mod drive;
mod effect;
mod frames;
mod outside;
mod run;
mod services;
pub mod steps;

#[cfg(test)]
pub(super) use self::frames::{
    ack, answer, ask, fim, login, numbered, offer, ping, publish, request, sessions, shutdown,
    topics, unserved, who, withdraw,
};
#[cfg(test)]
pub use self::run::{LIMITS, Run, entry, status, user};
#[cfg(test)]
pub use self::{effect::Effect, outside::Outside};

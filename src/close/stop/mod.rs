//! The stop machine: decides how a server stops, phase by phase.
//!
//! The problem: a stop is a race between clients, sessions, the hub, the disk, deadlines and
//! signals. Its decisions must be right in every order of these, and a test of the running
//! server sees only a few. So [`StopMachine`] makes every decision and does nothing else: it
//! takes an [`Input`] and returns [`Effect`]s. It knows no actor, clock or thread. The
//! supervisor carries out its effects; the model checker (`tests/model`) drives it through
//! every order.
//!
//! Invariants:
//! - The phases follow one another in their order, each at most once.
//! - Each phase ends when it has what it waits for, or by its deadline. A deadline comes
//!   closer with haste, and never moves away; only a deadline that passed while the process
//!   was suspended is judged a second time.
//! - The exit is clean only if every session that was accepted is known, the log's final
//!   head is known, and every record is whole.
//!
//! `machine` has the transitions and `progress` the state of a stop that has begun;
//! `deadlines` the time, `roster` the sessions and their records, `missing` which broadcasts a
//! session misses, `outcome` the exit code; `rules` the decisions that the model checker replaces.

mod deadlines;
mod effect;
mod failed_sessions;
mod input;
mod machine;
mod missing;
mod order;
mod outcome;
mod progress;
mod roster;
pub mod rules;
#[cfg(test)]
mod tests;

pub use effect::Effect;
pub use input::{Haste, Input, Moment, ObservedSession, StoreClosed};
pub use machine::StopMachine;
pub use order::{Order, Status};
pub use outcome::{StopOutcome, Surroundings};
pub use roster::live_record;
pub use rules::Contract;

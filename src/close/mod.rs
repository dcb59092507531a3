//! The promises and the course of a stop, as plain state: phases, counts,
//! evidence, the report, and the [`stop`] machine. Nothing here knows actors or sockets; the
//! supervisor and the sessions act on it.

mod component;
mod in_work;
mod phase;
mod record;
mod report;
pub mod stop;
mod stopwatch;
mod trouble;

pub use component::{ActorName, Component};
pub use in_work::{InWork, Work};
pub use record::{Fate, SessionOutcome, SessionRecord};
pub use report::{ActorLine, ExitCode, PhaseLine, Report};
pub use stopwatch::{Micros, Stopwatch, Times};
pub use trouble::Trouble;

pub use crate::link::Evidence;
pub use crate::wire::{CloseReason, Phase, StopReason};

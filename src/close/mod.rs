//! The promises and the course of a stop, as plain state: reasons, phases, counts,
//! evidence, the report, and the [`stop`] machine. Nothing here knows actors or sockets; the
//! supervisor and the sessions act on it.

mod in_work;
mod phase;
mod reason;
mod record;
mod report;
pub mod stop;
mod stopwatch;

pub use in_work::{InWork, Work};
pub use phase::Phase;
pub use reason::{CloseReason, StopReason};
pub use record::{Fate, SessionOutcome, SessionRecord};
pub use report::{ActorLine, ExitCode, PhaseLine, Report};
pub use stopwatch::{Micros, Stopwatch, Times};

pub use crate::link::Evidence;

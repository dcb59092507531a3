//! What a shutdown promises, as plain state: reasons, phases, counts, evidence
//! and the report. Nothing here knows of actors or sockets; the supervisor and
//! the sessions act by it.

mod in_work;
mod phase;
mod reason;
mod record;
mod report;
mod stopwatch;

pub use in_work::{InWork, Work};
pub use phase::{Deadlines, LAST_WORD, Phase};
pub use reason::{CloseReason, StopReason};
pub use record::{Fate, SessionOutcome, SessionRecord};
pub use report::{ActorLine, ExitCode, PhaseLine, Report};
pub use stopwatch::{Micros, Stopwatch, Times};

pub use crate::link::Evidence;

//! What a shutdown promises, as plain state: reasons, phases, counts, evidence
//! and the report. Nothing here knows of actors or sockets; the supervisor and
//! the sessions act by it.

mod in_work;
mod phase;
mod reason;
mod report;

pub use in_work::{InWork, Work};
pub use phase::{Deadlines, Phase};
pub use reason::{CloseReason, StopReason};
pub use report::{Evidence, ExitCode, PhaseLine, Report, SessionRecord};

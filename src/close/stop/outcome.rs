//! How a stop went, and what the report says of it.

use crate::close::{
    ActorLine, ExitCode, PhaseLine, RecentRoutes, Report, SessionRecord, StopReason, Trouble,
};
use crate::wire::{Millis, Seq};

/// The result of a stop: the report, except for what only the surroundings know.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StopOutcome {
    /// Why the server stopped.
    pub reason: StopReason,
    /// How it went.
    pub exit: ExitCode,
    /// The last seq of the log.
    pub head: Seq,
    /// Every phase, in order.
    pub phases: Vec<PhaseLine>,
    /// The routes of the newest broadcasts.
    pub routes: RecentRoutes,
    /// The sessions' records, by number.
    pub sessions: Vec<SessionRecord>,
    /// Other problems.
    pub trouble: Vec<Trouble>,
}

impl StopOutcome {
    /// Completes the report with the wall-clock time at which the stop `began`, the log's
    /// `stream`, and what became of the `actors`.
    pub fn into_report(self, began: Millis, stream: String, actors: Vec<ActorLine>) -> Report {
        Report {
            version: 1,
            reason: self.reason,
            exit: self.exit.code(),
            began,
            stream,
            head: self.head,
            phases: self.phases,
            actors,
            routes: Some(self.routes),
            sessions: self.sessions,
            trouble: self.trouble,
        }
    }
}

/// Returns the exit code: a panic outweighs force, and force outweighs what is missing.
pub(super) fn exit_code(
    has_panicked: bool,
    is_forced: bool,
    sessions: &[SessionRecord],
    trouble: &[Trouble],
) -> ExitCode {
    if has_panicked {
        ExitCode::Panicked
    } else if is_forced {
        ExitCode::Forced
    } else if trouble.is_empty() && sessions.iter().all(SessionRecord::is_whole) {
        ExitCode::Clean
    } else {
        ExitCode::Deadline
    }
}

//! How a stop went, and what the report says of it.

use crate::close::{
    ActorLine, ExitCode, PhaseLine, RecentCalls, RecentRoutes, Report, SessionRecord, StopReason,
    Trouble,
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

/// The parts of a report that only the surroundings of the stop machine know.
#[derive(Debug)]
pub struct Surroundings {
    /// The wall-clock time at which the stop began.
    pub began: Millis,
    /// The log's stream.
    pub stream: String,
    /// When each actor was sealed and has stopped.
    pub actors: Vec<ActorLine>,
    /// The newest calls to services.
    pub calls: RecentCalls,
}

impl StopOutcome {
    /// Completes the report.
    pub fn into_report(self, surroundings: Surroundings) -> Report {
        let Surroundings {
            began,
            stream,
            actors,
            calls,
        } = surroundings;
        Report {
            version: 1,
            reason: self.reason,
            exit: self.exit.code(),
            began,
            drained: false, // the server knows
            stream,
            head: self.head,
            phases: self.phases,
            actors,
            routes: Some(self.routes),
            calls: (calls.last > 0).then_some(calls),
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

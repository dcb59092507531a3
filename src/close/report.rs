//! The report of a stopped server.

use serde::{Deserialize, Serialize};

use super::{
    ActorName, Micros, Phase, RecentCalls, RecentRoutes, SessionRecord, StopReason, Trouble,
};
use crate::wire::{Millis, Seq};

/// How a stop went, as the process's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExitCode {
    /// 0: everything accepted was answered and has arrived.
    Clean,
    /// 3: a deadline passed; the report names what is missing.
    Deadline,
    /// 4: forced by a second signal or by `now`.
    Forced,
    /// 70: a part of the server panicked.
    Panicked,
}

impl ExitCode {
    /// The process's exit code.
    pub const fn code(self) -> u8 {
        match self {
            ExitCode::Clean => 0,
            ExitCode::Deadline => 3,
            ExitCode::Forced => 4,
            ExitCode::Panicked => 70,
        }
    }
}

/// The report of a stopped server: its phases and its sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The report's format, 1. Fields may be added to it.
    pub version: u32,
    /// Why the server stopped.
    pub reason: StopReason,
    /// The process's exit code.
    pub exit: u8,
    /// When the stop began.
    #[serde(default)]
    pub began: Millis,
    /// Whether the server took no new sessions when the stop began, because it was drained.
    #[serde(default, skip_serializing_if = "is_false")]
    pub drained: bool,
    /// The stream that the seqs count in.
    pub stream: String,
    /// The last seq of the stream: the cut of every session that was drained.
    pub head: Seq,
    /// Every phase that was reached, in order.
    pub phases: Vec<PhaseLine>,
    /// The actors beside the sessions, in the order in which they were sealed.
    #[serde(default)]
    pub actors: Vec<ActorLine>,
    /// The routes of the newest broadcasts; absent where the server never served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routes: Option<RecentRoutes>,
    /// The newest calls to services; absent where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<RecentCalls>,
    /// Every session that was there when the stop began, by number, and the latest of those
    /// that the server had failed before.
    pub sessions: Vec<SessionRecord>,
    /// Other things that went wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trouble: Vec<Trouble>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// A phase's planned and used time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PhaseLine {
    /// Which.
    pub phase: Phase,
    /// Its own share of the total, without what earlier phases left over.
    pub budget_ms: u64,
    /// The time that it took.
    pub took_ms: u64,
    /// When it began.
    #[serde(default)]
    pub began_us: Micros,
    /// The time that it took, to the microsecond.
    #[serde(default)]
    pub took_us: Micros,
    /// Whether it was over by its deadline.
    pub in_time: bool,
}

/// The end of an actor that is no session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorLine {
    /// Its name.
    pub actor: ActorName,
    /// From when on it took nothing more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_us: Option<Micros>,
    /// When it confirmed that it stopped; absent where it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_us: Option<Micros>,
}

//! What a stopped server can say of itself.

use serde::{Deserialize, Serialize};

use super::{CloseReason, Phase, StopReason};
use crate::wire::{Seq, SessionId};

/// How far a session's bytes are known to have got; a later level includes the
/// earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Still in the server.
    Queued,
    /// The server's kernel has them.
    Written,
    /// The peer's kernel has them (TCP).
    KernelAcked,
    /// The peer has read them (unix sockets).
    Read,
    /// The client said so.
    Acked,
}

impl Evidence {
    /// The level's name in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Evidence::Queued => "queued",
            Evidence::Written => "written",
            Evidence::KernelAcked => "kernel-acked",
            Evidence::Read => "read",
            Evidence::Acked => "acked",
        }
    }
}

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

/// What a stopped server can say of itself: its phases and its sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The report's format, 1. Fields may be added to it.
    pub version: u32,
    /// Why the server stopped.
    pub reason: StopReason,
    /// The process's exit code.
    pub exit: u8,
    /// The stream that the seqs count in.
    pub stream: String,
    /// The last seq of the stream: the cut of every session that was drained.
    pub head: Seq,
    /// Every phase that was reached, in order.
    pub phases: Vec<PhaseLine>,
    /// Every session that was there when the stop began, by number.
    pub sessions: Vec<SessionRecord>,
    /// Other things that went wrong, each in a sentence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trouble: Vec<String>,
}

/// A phase's planned and used time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseLine {
    /// Which.
    pub phase: Phase,
    /// Its own share of the total, without what earlier phases left over.
    pub budget_ms: u64,
    /// What it took.
    pub took_ms: u64,
    /// Whether it was over by its deadline.
    pub in_time: bool,
}

/// What became of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// Its number.
    pub session: SessionId,
    /// Its user; absent where it never logged in.
    pub user: Option<String>,
    /// The listener that it came in by.
    pub endpoint: String,
    /// Why it ended.
    pub reason: String,
    /// Frames admitted since the login.
    pub accepted: u64,
    /// Those of them that were answered.
    pub answered: u64,
    /// Frames answered with the error `stopping`.
    pub refused: u64,
    /// The last seq that it had to get.
    pub cut: Seq,
    /// The last seq that was written to it whole.
    pub sent: Seq,
    /// Ranges of broadcasts that it had to get and did not, both ends included.
    pub missing: Vec<(Seq, Seq)>,
    /// The latest ranges that it was told by `gap` that it would not get.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<(Seq, Seq)>,
    /// How far its bytes are known to have got.
    pub evidence: Evidence,
}

impl SessionRecord {
    /// Whether everything that was promised to the session is known to be kept.
    ///
    /// A client that broke the connection was promised nothing more.
    pub fn is_whole(&self) -> bool {
        self.reason == CloseReason::Lost.as_str()
            || (self.accepted == self.answered
                && self.missing.is_empty()
                && self.evidence >= Evidence::KernelAcked)
    }
}

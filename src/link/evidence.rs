//! Levels of delivery evidence: written is not delivered.

use serde::{Deserialize, Serialize};

/// How far a session's bytes are known to have got. A later level includes the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The server still holds some of them.
    Queued,
    /// The server's kernel has them.
    Written,
    /// The peer's kernel has acknowledged them (TCP).
    KernelAcked,
    /// The peer has read them (unix sockets, Windows pipes).
    Read,
    /// The client has acknowledged them in the protocol.
    Acked,
}

impl Evidence {
    /// Returns the level's name in the report.
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

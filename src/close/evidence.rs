//! How far bytes are known to have got: written is not delivered.

use serde::{Deserialize, Serialize};

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

//! Why a session ends, and why a server does.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::wire::ErrorCode;

/// Why a session ended; `closing` carries its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// The client said `fim`.
    Fim,
    /// The server stopped.
    Shutdown,
    /// The client closed its side without a word.
    Disconnected,
    /// The client broke the connection, or cannot be reached any more.
    Lost,
    /// An error that ends the session.
    Error(ErrorCode),
}

impl CloseReason {
    /// The reason's name on the wire and in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            CloseReason::Fim => "fim",
            CloseReason::Shutdown => "shutdown",
            CloseReason::Disconnected => "disconnected",
            CloseReason::Lost => "lost",
            CloseReason::Error(code) => code.as_str(),
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why the server stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StopReason {
    /// `fim` at the console, or the embedding program's word.
    Fim,
    /// SIGTERM, SIGINT, Ctrl-C.
    Signal,
    /// An admin's `shutdown`.
    Admin,
    /// A panic in the hub, in auth or in an acceptor.
    Panic,
}

impl StopReason {
    /// The reason's name on the wire and in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            StopReason::Fim => "fim",
            StopReason::Signal => "signal",
            StopReason::Admin => "admin",
            StopReason::Panic => "panic",
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

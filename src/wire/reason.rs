//! The reasons for the end of a session and of a server.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ErrorCode;
use super::named::impl_named;
use crate::parse_error::ParseError;

/// Why a session ended. The frame `closing` and the report have its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// The client said `fim`.
    Fim,
    /// The server stopped.
    Shutdown,
    /// The client closed its side without `fim`.
    Disconnected,
    /// The client broke the connection, or cannot be reached any more. In the report only.
    Lost,
    /// An error that ends the session.
    Error(ErrorCode),
}

impl CloseReason {
    /// Every reason that is no error.
    pub(crate) const PLAIN: [CloseReason; 4] = [
        CloseReason::Fim,
        CloseReason::Shutdown,
        CloseReason::Disconnected,
        CloseReason::Lost,
    ];

    /// Returns the reason's name on the wire and in the report.
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

impl_named!(CloseReason);

impl FromStr for CloseReason {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut plain = CloseReason::PLAIN.into_iter();
        let reason = plain.find(|reason| reason.as_str() == text);
        let code = || text.parse().ok().map(CloseReason::Error);
        reason.or_else(code).ok_or_else(|| {
            let expected = "fim, shutdown, disconnected, lost or an error code";
            ParseError::new("close reason", text, expected)
        })
    }
}

/// Why the server stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StopReason {
    /// `fim` at the console, or a call of the embedding program.
    Fim,
    /// SIGTERM, SIGINT, Ctrl-C.
    Signal,
    /// An admin's `shutdown`.
    Admin,
    /// A panic in the hub, in auth or in an acceptor.
    Panic,
}

impl StopReason {
    /// Every reason.
    pub const ALL: [StopReason; 4] = [
        StopReason::Fim,
        StopReason::Signal,
        StopReason::Admin,
        StopReason::Panic,
    ];

    /// Returns the reason's name on the wire and in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            StopReason::Fim => "fim",
            StopReason::Signal => "signal",
            StopReason::Admin => "admin",
            StopReason::Panic => "panic",
        }
    }
}

impl_named!(StopReason);

impl FromStr for StopReason {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut known = StopReason::ALL.into_iter();
        let reason = known.find(|reason| reason.as_str() == text);
        reason.ok_or_else(|| ParseError::new("stop reason", text, "fim, signal, admin or panic"))
    }
}

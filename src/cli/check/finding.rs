//! One thing that a check has found.

use serde::Serialize;

use crate::cli::exit::Failure;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// Nothing is wrong.
    Ok,
    /// A server starts, and something will not be as one may expect.
    Warning,
    /// A server does not start.
    Error,
}

impl Level {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// One thing that a check has found.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// The subject that was checked, in a word or two.
    pub(super) subject: &'static str,
    /// The finding, and what to do.
    pub(super) text: String,
    /// The exit code of a server that does not start for this.
    #[serde(skip)]
    code: u8,
}

impl Finding {
    pub(super) fn ok(subject: &'static str, text: impl Into<String>) -> Finding {
        Finding {
            level: Level::Ok,
            subject,
            text: text.into(),
            code: 0,
        }
    }

    pub(super) fn warning(subject: &'static str, text: impl Into<String>) -> Finding {
        Finding {
            level: Level::Warning,
            ..Finding::ok(subject, text)
        }
    }

    /// A server does not start, and fails like this.
    pub(super) fn error(subject: &'static str, failure: &Failure) -> Finding {
        Finding {
            level: Level::Error,
            code: failure.code(),
            ..Finding::ok(subject, failure.message())
        }
    }

    /// Returns the exit code that an error asks for.
    pub(super) fn exit_code(&self) -> Option<u8> {
        (self.level == Level::Error).then_some(self.code)
    }
}

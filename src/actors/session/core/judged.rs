//! The frames of publishes that the hub judges one by one.

use crate::actors::hub::Verdict;
use crate::wire::{ErrorCode, Published, ServerFrame, WireError};

/// The frames of a judged run, in their order.
pub(super) type JudgedFrames = Vec<JudgedFrame>;

/// A frame of a judged run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct JudgedFrame {
    pub(super) id: u64,
    /// Why its message must not be published, should it be new.
    pub(super) problem: Option<Problem>,
}

/// Why a message must not be published.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Problem {
    /// Its keys are wrong, or there is no such user to send it to.
    Wrong(WireError),
    /// The account's role and the rules do not allow it, for this reason.
    Forbidden(String),
    /// The body is longer than the longest one that is allowed. Both in bytes.
    TooLong { length: usize, max_body: usize },
}

impl Problem {
    /// Returns the error that the client gets.
    pub(super) fn error(&self) -> WireError {
        match self {
            Problem::Wrong(error) => error.clone(),
            Problem::Forbidden(message) => WireError {
                code: ErrorCode::Forbidden,
                message: message.clone(),
            },
            Problem::TooLong { length, max_body } => WireError {
                code: ErrorCode::FrameTooLarge,
                message: format!("a body of {length} bytes is longer than max_body, {max_body}"),
            },
        }
    }
}

impl JudgedFrame {
    /// Returns the answer to the frame.
    pub(super) fn answer(&self, verdict: Verdict) -> ServerFrame<'static> {
        let id = self.id;
        let refused = |code, message: String| ServerFrame::error(Some(id), code, message);
        match (verdict, &self.problem) {
            (Verdict::Published(seq), _) => ServerFrame::Published(Published::new(id, seq)),
            (Verdict::Repeated(seq), _) => {
                let repeated = true;
                ServerFrame::Published(Published { id, seq, repeated })
            }
            (Verdict::OutOfOrder { highest }, _) => refused(
                ErrorCode::OutOfOrder,
                format!("n is not the next one: the highest so far is {highest}"),
            ),
            (Verdict::NotKept(limit), _) => refused(ErrorCode::TooMany, limit.to_string()),
            (Verdict::Refused, Some(problem)) => {
                let WireError { code, message } = problem.error();
                refused(code, message)
            }
            (Verdict::Refused, None) => unreachable!("the hub was to publish {id}"),
        }
    }
}

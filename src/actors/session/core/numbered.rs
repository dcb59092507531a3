//! The frames of publishes that their producers have numbered.

use crate::wire::{ErrorCode, WireError};

/// The frames of a numbered run, in their order.
pub(super) type NumberedFrames = Vec<NumberedFrame>;

/// A frame of a numbered run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct NumberedFrame {
    pub(super) id: u64,
    /// Why its message must not be published, should it be new.
    pub(super) problem: Option<Problem>,
}

/// Why a message must not be published.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Problem {
    /// The topic is wrong, for this reason.
    Topic(String),
    /// The account's role and the rules do not allow it, for this reason.
    Forbidden(String),
    /// The body is longer than the longest one that is allowed. Both in bytes.
    TooLong { length: usize, max_body: usize },
}

impl Problem {
    /// Returns the error that the client gets.
    pub(super) fn error(&self) -> WireError {
        match self {
            Problem::Topic(message) => WireError {
                code: ErrorCode::BadTopic,
                message: message.clone(),
            },
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

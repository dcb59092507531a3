//! Frames and their encodings, independent of any transport.
//!
//! [`ClientFrame`] and [`ServerFrame`] are the protocol's frames as types. A [`Dialect`] encodes
//! and decodes them: [`cbor`] for programs, [`text`] for people and scripts, [`raw`] for
//! programs that do not know the protocol. This module uses no sockets and no actors, and it
//! does not trust its input: every byte may come from an unauthenticated client.

mod body;
pub mod cbor;
mod charset;
mod decoded;
mod dialect;
mod error_code;
mod event;
mod feature;
mod frame;
mod ids;
mod named;
mod new_message;
mod phase;
pub mod quote;
pub mod raw;
mod reason;
pub mod text;
mod trace_parent;

pub use body::Body;
pub use charset::Charset;
pub use decoded::Decoded;
pub use dialect::Dialect;
pub use error_code::ErrorCode;
pub use event::{Event, KeptValue};
pub use feature::Feature;
pub use frame::{
    Ack, AnswerError, AnswerFrame, CallFrame, Cancelled, ClientFrame, Closing, CursorKey,
    CursorLine, CursorList, CursorRemoved, Cursors, ErrorFrame, Features, Gap, Headers, IdFrame,
    LONGEST_HEADERS, LONGEST_LABEL, LONGEST_TIMEOUT, LoggedIn, Login, LoginOptions, MOST_HEADERS,
    Message, Offer, OfferLine, Passed, Presence, Present, Publish, PublishOptions, Published,
    RemoveCursor, ReplyFrame, ReplyOptions, Request, RequestOptions, Resume, Role, ServerFrame,
    ServiceLine, ServiceList, ServiceQuery, SessionLine, SessionList, Shutdown, Stopping,
    Subscribe, Subscribed, TopicLine, TopicList, TopicQuery, Unserved, VERSION, Welcome, Withdraw,
    Withdrawn,
};
pub use ids::{Millis, Seq, SessionId, Term};
pub use named::Named;
pub use new_message::NewMessage;
pub use phase::Phase;
pub use quote::Quote;
#[cfg(feature = "server")]
pub(crate) use quote::{LONGEST_TEXT, limited};
pub use raw::RawDialect;
pub use reason::{CloseReason, StopReason};
pub use trace_parent::TraceParent;

/// The longest frame accepted before the login, in bytes without its prefix.
pub const MAX_FRAME_BEFORE_LOGIN: usize = 16 * 1024;

/// The default of the longest frame accepted after the login, in bytes without its prefix.
pub const MAX_FRAME: usize = 1024 * 1024;

/// The longest name of a user, in bytes of UTF-8.
pub const LONGEST_NAME: usize = 64;

/// Why bytes were rejected; the sender gets it in an `error` frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{code}: {message}")]
pub struct WireError {
    /// The code, for programs.
    pub code: ErrorCode,
    /// The problem and its position, for people.
    pub message: String,
}

impl WireError {
    /// `at` is an offset in bytes from the start of the frame, behind its prefix.
    pub(crate) fn bad_frame_at(at: usize, problem: &str) -> Self {
        WireError {
            code: ErrorCode::BadFrame,
            message: format!("{problem} (at byte {at} of the frame)"),
        }
    }

    /// `at` is an offset in bytes from the start of the line.
    pub(crate) fn bad_line_at(at: usize, problem: &str) -> Self {
        WireError {
            code: ErrorCode::BadFrame,
            message: format!("{problem} (at byte {at} of the line)"),
        }
    }

    pub(crate) fn too_large(length: usize, limit: usize) -> Self {
        WireError {
            code: ErrorCode::FrameTooLarge,
            message: format!("a frame of {length} bytes is longer than the {limit} allowed here"),
        }
    }
}

#[cfg(test)]
mod tests;

//! Frames and their bytes: what travels, apart from what it travels on.
//!
//! [`ClientFrame`] and [`ServerFrame`] are the contract as types. A [`Dialect`]
//! turns them into bytes and back: `cbor` for programs ([`cbor`]), `text` for
//! people and scripts ([`text`]), `raw` for programs of others ([`raw`]). Nothing here knows of sockets or actors, and
//! nothing here trusts its input: every byte may come from a stranger.

mod body;
pub mod cbor;
mod charset;
mod dialect;
mod error_code;
mod event;
mod frame;
mod ids;
pub mod quote;
pub mod raw;
pub mod text;

pub use body::Body;
pub use charset::Charset;
pub use dialect::{Decoded, Dialect};
pub use error_code::ErrorCode;
pub use event::Event;
pub use frame::{
    Ack, BodyFrame, ClientFrame, Closing, ErrorFrame, Gap, IdFrame, LoggedIn, Login, Message,
    Presence, Present, Published, Resume, Role, ServerFrame, SessionLine, SessionList, Shutdown,
    Stopping, Unserved, VERSION, Welcome,
};
pub use ids::{Millis, Seq, SessionId, Term};
pub use quote::Quote;
pub use raw::RawDialect;

/// The longest frame before the login, in bytes without its prefix.
pub const MAX_FRAME_BEFORE_LOGIN: usize = 16 * 1024;

/// The longest frame after the login by default, in bytes without its prefix.
pub const MAX_FRAME: usize = 1024 * 1024;

/// The longest name of a user, in bytes of UTF-8.
pub const LONGEST_NAME: usize = 64;

/// Bytes that are not a frame, and what to tell the one who sent them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct WireError {
    /// What programs read.
    pub code: ErrorCode,
    /// What people read: what is wrong, and where.
    pub message: String,
}

impl WireError {
    /// `at` counts the bytes of the frame from 0, its prefix left out.
    pub(crate) fn bad_frame_at(at: usize, problem: &str) -> Self {
        WireError {
            code: ErrorCode::BadFrame,
            message: format!("{problem} (at byte {at} of the frame)"),
        }
    }

    /// `at` counts the bytes of the line from 0.
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

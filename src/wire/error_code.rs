//! The error codes of the contract.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use super::named::impl_named;
use crate::parse_error::ParseError;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a frame was not served, or why a session ends.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
            /// A code that this version does not know. It is received, never sent.
            Unknown,
        }

        impl ErrorCode {
            /// Every code that a server sends.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant,)*];

            /// Returns the code's name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(ErrorCode::$variant => $name,)*
                    ErrorCode::Unknown => "unknown",
                }
            }
        }
    };
}

error_codes! {
    /// The bytes are not a frame of the contract. Ends the session.
    BadFrame = "bad-frame",
    /// The frame is longer than `max_frame`. Ends the session.
    FrameTooLarge = "frame-too-large",
    /// The bytes are of another protocol. Ends the session.
    Unsupported = "unsupported",
    /// Only `login`, `ping` and `fim` are served before the login.
    NotLoggedIn = "not-logged-in",
    /// The session is logged in already.
    AlreadyLoggedIn = "already-logged-in",
    /// The name is not a valid user name.
    BadName = "bad-name",
    /// The password is wrong. The third such error ends the session.
    BadCredentials = "bad-credentials",
    /// The user is unknown, and registration is closed on this endpoint.
    RegistrationClosed = "registration-closed",
    /// The user's role, or an operator's rule, does not allow the frame.
    Forbidden = "forbidden",
    /// The handler accepts only text.
    NotText = "not-text",
    /// A rate limit or another limit was reached; `retry_after` says when to try again.
    Throttled = "throttled",
    /// The client did not log in within the time limit. Ends the session.
    LoginTimeout = "login-timeout",
    /// The client sent no frame for too long. Ends the session.
    IdleTimeout = "idle-timeout",
    /// The session limit is reached. Ends the session.
    TooManySessions = "too-many-sessions",
    /// The client read too slowly, and the log no longer has its next broadcast. Ends the session.
    SlowConsumer = "slow-consumer",
    /// The account was removed, or its password changed. Ends the session.
    Revoked = "revoked",
    /// The topic or the pattern is not one, or does not go with the frame's other keys.
    BadTopic = "bad-topic",
    /// A value is out of its range, or one of two keys that belong together is missing.
    BadValue = "bad-value",
    /// A limit on the number of what the frame asks for is reached.
    TooMany = "too-many",
    /// The user that a message is for has no account.
    UnknownUser = "unknown-user",
    /// The producer's number is not the next one.
    OutOfOrder = "out-of-order",
    /// No session offers the service, or the session that held the call has ended.
    Unavailable = "unavailable",
    /// The service did not answer in time.
    Timeout = "timeout",
    /// The service answered with an error of its own.
    Failed = "failed",
    /// Another session has logged in with the same cursor. Ends the session.
    Superseded = "superseded",
    /// The server is stopping and accepts no more work.
    Stopping = "stopping",
    /// The server failed to serve the frame.
    Internal = "internal",
}

impl ErrorCode {
    /// Whether every error with this code ends the session. Returns `false` for
    /// `bad-credentials`, of which only the third does.
    pub const fn ends_session(self) -> bool {
        matches!(
            self,
            ErrorCode::BadFrame
                | ErrorCode::FrameTooLarge
                | ErrorCode::Unsupported
                | ErrorCode::LoginTimeout
                | ErrorCode::IdleTimeout
                | ErrorCode::TooManySessions
                | ErrorCode::SlowConsumer
                | ErrorCode::Revoked
                | ErrorCode::Superseded
        )
    }
}

impl_named!(ErrorCode);

impl FromStr for ErrorCode {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut known = ErrorCode::ALL.iter();
        let code = known.find(|code| code.as_str() == text);
        code.copied()
            .ok_or_else(|| ParseError::new("error code", text, "a code that a server sends"))
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CodeVisitor;

        impl Visitor<'_> for CodeVisitor {
            type Value = ErrorCode;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an error code")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<ErrorCode, E> {
                Ok(name.parse().unwrap_or(ErrorCode::Unknown))
            }
        }

        deserializer.deserialize_str(CodeVisitor)
    }
}

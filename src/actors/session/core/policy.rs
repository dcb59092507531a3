//! The differences between the kinds of sessions, and a session's limits.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::state::{Member, State};
#[cfg(any(test, fuzzing))]
use crate::actors::session::saved::error::RestoreError;
use crate::rate::Rate;
#[cfg(any(test, fuzzing))]
use crate::rate::SavedRate;
use crate::wire::{Dialect, ErrorCode, Publish, cbor};

/// The policy for a reader that falls off the log's tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
pub enum SlowPolicy {
    /// It is told what it missed, and goes on.
    #[default]
    Gap,
    /// It is told so, and the session ends.
    Disconnect,
}

/// In shorter frames the longest topic and headers would leave little or nothing for the body.
const ROOMY: usize = 16 * 1024;

/// A session's limits and timeouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionLimits {
    /// The longest frame, in bytes without its prefix.
    pub max_frame: usize,
    /// The longest frame of a client that has not logged in.
    pub max_frame_before_login: usize,
    /// Frames that are admitted and not answered, before another one is looked at.
    pub frames_in_work: usize,
    /// The most patterns of a filter.
    pub patterns: usize,
    /// Frames that ask for something; `None` is as fast as they are answered.
    pub request_rate: Option<Rate>,
    /// Frames of a client that has not logged in.
    pub rate_before_login: Rate,
    /// From the connect to the login.
    pub login_timeout: Duration,
    /// Without a frame from the client; `None` is for ever.
    pub idle_timeout: Option<Duration>,
    /// From `closing` to the client's own end.
    pub drain_timeout: Duration,
    /// The policy for a slow reader.
    pub slow: SlowPolicy,
}

impl SessionLimits {
    /// Returns the idle timeout as `welcome` has it: whole milliseconds, rounded down.
    pub(super) fn idle_timeout_millis(&self) -> Option<u64> {
        let idle = self.idle_timeout?;
        Some(u64::try_from(idle.as_millis()).unwrap_or(u64::MAX))
    }

    /// Returns the longest body that a publish may have, in bytes: with frames of at least
    /// [`ROOMY`] bytes whatever its topic and headers are.
    pub(super) fn max_body(&self) -> usize {
        match self.max_frame < ROOMY {
            true => cbor::max_body(self.max_frame),
            false => cbor::max_body_with_topics(self.max_frame),
        }
    }

    /// Whether the message of a publish fits into a frame.
    pub(super) fn fits(&self, publish: &Publish<'_>) -> bool {
        self.max_frame >= ROOMY
            || publish.has_body_alone()
            || cbor::message_fits(publish, self.max_frame)
    }
}

/// The limits of optional features, as `welcome` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureLimits {
    /// The most patterns of a session's filter.
    pub patterns: u64,
    /// The most topics with a kept value.
    pub kept_topics: u64,
    /// The most bytes of these topics and their values.
    pub kept_bytes: u64,
    /// The most producers of an account.
    pub producers: u64,
    /// The most cursors of an account.
    pub cursors: u64,
    /// The most services that a session may offer.
    pub offers: u64,
    /// The most calls of a session that are in work.
    pub calls: u64,
    /// The most calls of a service that wait for a free session.
    pub waiting_calls: u64,
}

impl FeatureLimits {
    /// Returns the limits by their names in the contract.
    pub(super) fn named(self) -> BTreeMap<Cow<'static, str>, u64> {
        let FeatureLimits {
            patterns,
            kept_topics,
            kept_bytes,
            producers,
            cursors,
            offers,
            calls,
            waiting_calls,
        } = self;
        let named = [
            ("patterns", patterns),
            ("kept_topics", kept_topics),
            ("kept_bytes", kept_bytes),
            ("producers", producers),
            ("cursors", cursors),
            ("offers", offers),
            ("calls", calls),
            ("waiting_calls", waiting_calls),
        ];
        let named = named.into_iter();
        named
            .map(|(name, limit)| (Cow::Borrowed(name), limit))
            .collect()
    }
}

/// A session's limits, written down: its client was told some of them, so that they hold as
/// long as it is connected.
#[cfg(any(test, fuzzing))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedLimits {
    max_frame: u64,
    max_frame_before_login: u64,
    frames_in_work: u64,
    patterns: u64,
    request_rate: Option<SavedRate>,
    rate_before_login: SavedRate,
    login_timeout: Duration,
    idle_timeout: Option<Duration>,
    drain_timeout: Duration,
    slow: SlowPolicy,
}

#[cfg(any(test, fuzzing))]
impl SessionLimits {
    pub(super) fn save(&self) -> SavedLimits {
        let SessionLimits {
            max_frame,
            max_frame_before_login,
            frames_in_work,
            patterns,
            request_rate,
            rate_before_login,
            login_timeout,
            idle_timeout,
            drain_timeout,
            slow,
        } = *self;
        SavedLimits {
            max_frame: max_frame as u64,
            max_frame_before_login: max_frame_before_login as u64,
            frames_in_work: frames_in_work as u64,
            patterns: patterns as u64,
            request_rate: request_rate.map(Rate::save),
            rate_before_login: rate_before_login.save(),
            login_timeout,
            idle_timeout,
            drain_timeout,
            slow,
        }
    }

    pub(super) fn restore(saved: SavedLimits) -> Result<SessionLimits, RestoreError> {
        /// The longest frame that a server can be set to take.
        const LONGEST_FRAME: u64 = 1 << 30;
        let frame = |length: u64| match usize::try_from(length) {
            Ok(known) if length <= LONGEST_FRAME => Ok(known),
            _ => Err(RestoreError::Impossible("no frame is that long")),
        };
        Ok(SessionLimits {
            max_frame: frame(saved.max_frame)?,
            max_frame_before_login: frame(saved.max_frame_before_login)?,
            frames_in_work: usize::try_from(saved.frames_in_work).unwrap_or(usize::MAX),
            patterns: usize::try_from(saved.patterns).unwrap_or(usize::MAX),
            request_rate: saved.request_rate.map(Rate::restore).transpose()?,
            rate_before_login: Rate::restore(saved.rate_before_login)?,
            login_timeout: saved.login_timeout,
            idle_timeout: saved.idle_timeout,
            drain_timeout: saved.drain_timeout,
            slow: saved.slow,
        })
    }
}

/// Why a connection is refused: the session only tells so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectRefusal {
    /// No permit is free.
    Full,
    /// No permit is free, and there is no time to wait until the client has read that.
    FullBriefly,
    /// The endpoint is for others.
    Forbidden,
    /// The server takes no new sessions.
    Draining,
    /// The server is stopping.
    Stopping,
}

impl ConnectRefusal {
    pub(super) fn code(self) -> ErrorCode {
        match self {
            ConnectRefusal::Full | ConnectRefusal::FullBriefly => ErrorCode::TooManySessions,
            ConnectRefusal::Forbidden => ErrorCode::Forbidden,
            ConnectRefusal::Draining | ConnectRefusal::Stopping => ErrorCode::Stopping,
        }
    }

    pub(super) fn message(self) -> &'static str {
        match self {
            ConnectRefusal::Full | ConnectRefusal::FullBriefly => {
                "no place is free: try again later, or ask the operator for more"
            }
            ConnectRefusal::Forbidden => "this endpoint is for the server's own user",
            ConnectRefusal::Draining => {
                "the server takes no new sessions: connect to another one, or try again later"
            }
            ConnectRefusal::Stopping => "the server is stopping",
        }
    }
}

/// The most bytes that one read takes, by kind of client: input that is not served yet
/// waits in memory.
const READ: usize = 256 * 1024;
const READ_OF_NAMELESS: usize = 16 * 1024;
const READ_BEFORE_LOGIN: usize = 4 * 1024;

/// The kind of a session, which follows from its listener's dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Policy {
    /// CBOR or text: clients log in, and every frame that asks has its answer.
    Dialogue,
    /// The raw dialect in both directions: each line is a request, and nobody logs in.
    RawDuplex,
    /// The raw dialect outwards: broadcasts go out, and the input is read and dropped.
    RawOutbound,
}

impl Policy {
    /// Returns the policy of a listener's dialect.
    pub fn of(dialect: Dialect) -> Policy {
        match dialect.raw() {
            None => Policy::Dialogue,
            Some(_) if dialect.is_outbound() => Policy::RawOutbound,
            Some(_) => Policy::RawDuplex,
        }
    }

    /// Whether frames are admitted only after a login.
    pub(super) fn has_login(self) -> bool {
        self == Policy::Dialogue
    }

    /// Whether the input is dropped unread, and broadcasts begin with the connection.
    pub fn is_outbound(self) -> bool {
        self == Policy::RawOutbound
    }

    /// Returns the rate of frames at the start of a session.
    pub(super) fn first_rate(self, limits: &SessionLimits) -> Option<Rate> {
        match self {
            Policy::Dialogue => Some(limits.rate_before_login),
            Policy::RawDuplex | Policy::RawOutbound => limits.request_rate,
        }
    }

    /// Returns how many bytes one read takes at most.
    pub(super) fn read_size(self, state: &State) -> usize {
        match state.member() {
            Some(Member::User(_)) => READ,
            Some(Member::Nameless) => READ_OF_NAMELESS,
            None => READ_BEFORE_LOGIN,
        }
    }

    /// Returns the idle timeout, where frames are expected at all.
    pub(super) fn idle_timeout(self, limits: &SessionLimits) -> Option<Duration> {
        limits.idle_timeout.filter(|_| !self.is_outbound())
    }
}

/// The most that any read takes.
pub const LONGEST_READ: usize = READ;

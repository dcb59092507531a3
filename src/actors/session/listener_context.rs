//! What a session begins with, and what it shares with others.

use std::sync::Arc;
use std::time::Duration;

use actix::Addr;

use crate::accounts::{PeerId, Rates, UserName};
use crate::actors::auth::Auth;
use crate::actors::handler::Handler;
use crate::actors::hub::Hub;
use crate::actors::log_limit::LogLimit;
use crate::actors::permits::{KeyedLimit, Permits};
use crate::actors::supervisor::{SessionInfo, Supervisor};
use crate::close::{InWork, Stopwatch};
use crate::log::Log;
use crate::rate::Rate;
use crate::wire::{Dialect, ErrorCode, Seq, cbor};

/// What becomes of a reader that falls off the log's tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SlowPolicy {
    /// It is told what it missed, and goes on.
    #[default]
    Gap,
    /// It is told so, and the session ends.
    Disconnect,
}

/// What a session allows, and for how long it waits.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// The longest frame, in bytes without its prefix.
    pub max_frame: usize,
    /// The longest of somebody who has not logged in.
    pub max_frame_before_login: usize,
    /// Frames that are admitted and not answered, before another one is looked at.
    pub frames_in_work: usize,
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
    /// What becomes of a slow reader.
    pub slow: SlowPolicy,
}

impl SessionLimits {
    /// The idle timeout as `welcome` says it: whole milliseconds, rounded down.
    pub(super) fn idle_timeout_millis(&self) -> Option<u64> {
        let idle = self.idle_timeout?;
        Some(u64::try_from(idle.as_millis()).unwrap_or(u64::MAX))
    }

    /// The longest body that a publish may have, in bytes.
    pub(super) fn max_body(&self) -> usize {
        cbor::max_body(self.max_frame)
    }
}

/// What the sessions of one listener share.
pub struct ListenerContext {
    /// The listener, as the operator wrote it.
    pub endpoint: Arc<str>,
    /// How frames become bytes here.
    pub dialect: Dialect,
    /// Whether an unknown name registers here.
    pub may_register: bool,
    /// The places of each peer.
    pub peers: KeyedLimit<PeerId>,
    /// The places of each user.
    pub users: KeyedLimit<UserName>,
    /// How fast each user may ask for lists, of users and of sessions.
    pub lists: Arc<Rates<UserName>>,
    /// Which records about clients are logged.
    pub log_limit: Arc<LogLimit>,
    /// What answers requests.
    pub handler: Arc<dyn Handler>,
    /// What a session allows.
    pub limits: SessionLimits,
    /// The server's name and version.
    pub server: String,
    /// The broadcasts.
    pub log: Arc<Log>,
    /// Frames that were accepted and not yet answered.
    pub in_work: InWork,
    /// Runs once the server stops.
    pub stopwatch: Stopwatch,
    /// Checks logins.
    pub auth: Addr<Auth>,
    /// Takes publishes.
    pub hub: Addr<Hub>,
    /// Knows the sessions.
    pub supervisor: Addr<Supervisor>,
}

/// What a session begins with.
pub struct Start<L> {
    /// The connection.
    pub link: L,
    /// What can be known of it from outside.
    pub info: Arc<SessionInfo>,
    /// What it shares with the listener's other sessions.
    pub listener: Arc<ListenerContext>,
    /// Which of the log's bells wakes this thread.
    pub shard: usize,
    /// Whether the peer may stop the server whatever its role: a local process
    /// of the server's own user.
    pub is_own_user: bool,
    /// The log's head when it was let in: a reader that does not log in begins here.
    pub head: Seq,
    /// Who is at the other end.
    pub peer: PeerId,
    /// The places that it takes.
    pub places: Permits,
    /// Whether it is only told that it cannot stay, and why.
    pub refusal: Option<ConnectRefusal>,
}

/// Why somebody cannot stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectRefusal {
    /// No place is free.
    Full,
    /// No place is free, and there is no time to wait until that is read.
    FullBriefly,
    /// The endpoint is for others.
    Forbidden,
    /// The server is stopping.
    Stopping,
}

impl ConnectRefusal {
    pub(super) fn code(self) -> ErrorCode {
        match self {
            ConnectRefusal::Full | ConnectRefusal::FullBriefly => ErrorCode::TooManySessions,
            ConnectRefusal::Forbidden => ErrorCode::Forbidden,
            ConnectRefusal::Stopping => ErrorCode::Stopping,
        }
    }

    pub(super) fn message(self) -> &'static str {
        match self {
            ConnectRefusal::Full | ConnectRefusal::FullBriefly => {
                "no place is free: try again later, or ask the operator for more"
            }
            ConnectRefusal::Forbidden => "this endpoint is for the server's own user",
            ConnectRefusal::Stopping => "the server is stopping",
        }
    }
}

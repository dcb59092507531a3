//! The values that a session begins with, and those that a listener's sessions share.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::Addr;

use super::core::hears::Hears;
use super::core::policy::{ConnectRefusal, FeatureLimits, SessionLimits};
use crate::accounts::{AccountNames, LivePermissions, PeerId, Rates, UserName};
use crate::actors::auth::Auth;
use crate::actors::draining::Draining;
use crate::actors::handler::Handler;
use crate::actors::hub::HubAddress;
use crate::actors::log_limit::LogLimit;
use crate::actors::permits::{KeyedLimit, Permits};
use crate::actors::supervisor::{SessionInfo, Supervisor};
use crate::audit::AuditSink;
use crate::close::{InWork, Stopwatch};
use crate::counters::Counters;
use crate::log::Log;
use crate::services::Services;
use crate::wire::{Dialect, Seq};

/// The values that the sessions of one listener share.
#[derive(Clone)]
pub struct ListenerContext {
    /// The listener, as the operator wrote it.
    pub endpoint: Arc<str>,
    /// How frames become bytes here.
    pub dialect: Dialect,
    /// Whether an unknown name registers here.
    pub may_register: bool,
    /// The broadcasts of a session without a login.
    pub hears: Hears,
    /// Whether no login is taken.
    pub draining: Draining,
    /// The permits of each peer.
    pub peers: KeyedLimit<PeerId>,
    /// The permits of each user.
    pub users: KeyedLimit<UserName>,
    /// How fast each user may ask for lists, of users and of sessions.
    pub lists: Arc<Rates<UserName>>,
    /// The permissions of sessions without an account.
    pub nameless: Arc<LivePermissions>,
    /// The names of the accounts.
    pub names: AccountNames,
    /// Counts sessions, logins and errors.
    pub counters: Arc<Counters>,
    /// Which records about clients are logged.
    pub log_limit: Arc<LogLimit>,
    /// Gets the events for an audit log.
    pub(crate) audit: AuditSink,
    /// Answers requests.
    pub handler: Arc<dyn Handler>,
    /// The limits of a session.
    pub limits: Arc<SessionLimits>,
    /// The limits of optional features.
    pub feature_limits: FeatureLimits,
    /// The server's name and version.
    pub server: String,
    /// The broadcasts.
    pub log: Arc<Log>,
    /// Frames that were accepted and not yet answered.
    pub in_work: InWork,
    /// The services that clients offer.
    pub services: Arc<Services>,
    /// The services that the server itself answers.
    pub service_handlers: Arc<BTreeMap<String, Arc<dyn Handler>>>,
    /// Runs once the server stops.
    pub stopwatch: Stopwatch,
    /// Checks logins.
    pub auth: Addr<Auth>,
    /// Takes publishes.
    pub hub: HubAddress,
    /// Knows the sessions.
    pub supervisor: Addr<Supervisor>,
}

/// The values that a session begins with.
pub struct Start<L> {
    /// The connection.
    pub link: L,
    /// The facts that others may read of it.
    pub info: Arc<SessionInfo>,
    /// The values that it shares with the listener's other sessions.
    pub listener: Arc<ListenerContext>,
    /// Which of the log's notifiers wakes this thread.
    pub shard: usize,
    /// Whether the peer may stop the server whatever its role: a local process
    /// of the server's own user.
    pub is_own_user: bool,
    /// The log's head when it was let in: a reader that does not log in begins here.
    pub head: Seq,
    /// The peer at the other end.
    pub peer: PeerId,
    /// The permits that it holds.
    pub permits: Permits,
    /// Why the session only tells that the client cannot stay.
    pub refusal: Option<ConnectRefusal>,
}

//! The messages that the supervisor handles, and the order that it sends.

use std::sync::Arc;
use std::time::Duration;

use actix::{Message, Recipient};
use tokio::sync::oneshot;

use super::components::Components;
use super::session_info::SessionInfo;
use crate::accounts::UserName;
use crate::close::stop::{Haste, Input, Order, Status};
use crate::close::{Component, SessionRecord, StopReason};
use crate::wire::SessionId;

impl Message for Order {
    type Result = SessionRecord;
}

/// The server is complete: from now on it can be stopped. A stop that was asked for earlier
/// begins.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Supervise(pub Box<dyn Components + Send>);

/// A session has started.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Opened {
    /// The facts that are known without asking it.
    pub info: Arc<SessionInfo>,
    /// Where it takes orders.
    pub orders: Recipient<Order>,
}

/// A session has ended.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Ended {
    /// Its last record.
    pub record: SessionRecord,
    /// Whether its connection failed for a reason on the server's side.
    pub has_failed: bool,
}

/// Returns the live sessions.
#[derive(Message)]
#[rtype(result = "Vec<Arc<SessionInfo>>")]
pub struct List;

/// Returns the number of live sessions.
#[derive(Message)]
#[rtype(result = "usize")]
pub struct Count;

/// Notifies a task once there are `count` sessions. The task holds the receiver, so that
/// nothing is kept here for a task that has stopped waiting.
#[derive(Message)]
#[rtype(result = "()")]
pub struct WaitFor {
    /// The number of sessions.
    pub count: usize,
    /// Notified then; dropped if the server stops first.
    pub reached: oneshot::Sender<()>,
}

/// Stops the server. The answer tells the phase and the time left.
#[derive(Message)]
#[rtype(result = "Status")]
pub struct Stop {
    /// The reason. The first one counts.
    pub reason: StopReason,
    /// How much time the stop may take.
    pub haste: Haste,
}

/// Changes the longest time that a stop may take. The answer is `false` once a stop has begun; then
/// nothing has changed.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct SetStopLimit(pub Duration);

/// Returns how far the stop is; `None` before the stop.
#[derive(Message)]
#[rtype(result = "Option<Status>")]
pub struct GetStatus;

/// Accounts of these users were removed, or have another password, another role or other rules.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Revoked(pub Vec<UserName>);

/// Ends a session, as an operator asks. The answer is whether there is such a session.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct Dismiss {
    /// The session.
    pub session: SessionId,
    /// The reason that its client is told.
    pub why: Option<Arc<str>>,
}

/// Another session has taken this session's cursor.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Superseded(pub SessionId);

/// An actor or thread that the server depends on has ended without being stopped: it has
/// panicked.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ActorFailed(pub Component);

/// Something that an effect of the stop machine has led to.
///
/// It goes through the mailbox, so that it is handled after everything that was sent before
/// it: `ListenersSealed` after each [`Opened`], `StoreClosed` after each [`Ended`] of a
/// thread that was joined.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Happened(pub(super) Input);

//! The facts that are known of a session without asking it.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::accounts::{LivePermissions, UserName};
use crate::close::stop::ObservedSession;
use crate::close::{SessionFilter, SubscribeRules};
use crate::topic::RuleKind;
use crate::wire::{Millis, Seq, SessionId, SessionLine};

/// A session's number, peer, user and cursor, readable from every thread.
#[derive(Debug)]
pub struct SessionInfo {
    /// Its number.
    pub id: SessionId,
    /// The listener that accepted it.
    pub endpoint: Arc<str>,
    /// The peer in words, as known when it connected.
    peer: String,
    /// The peer in words, if more became known later.
    late_peer: OnceLock<String>,
    /// When it connected.
    pub since: Millis,
    user: Mutex<Option<UserName>>,
    /// Its broadcasts begin after this seq, once it gets any.
    after: OnceLock<Seq>,
    sent: AtomicU64,
    /// Its choice of broadcasts, without the patterns; `None` for everything.
    filter: Mutex<Option<Box<SessionFilter>>>,
    /// The operator's rules about it, once it gets broadcasts.
    permissions: OnceLock<Arc<LivePermissions>>,
}

impl SessionInfo {
    /// A session that has just connected.
    pub fn new(id: SessionId, endpoint: Arc<str>, peer: String) -> Self {
        SessionInfo {
            id,
            endpoint,
            peer,
            late_peer: OnceLock::new(),
            since: Millis::now(),
            user: Mutex::new(None),
            after: OnceLock::new(),
            sent: AtomicU64::new(0),
            filter: Mutex::new(None),
            permissions: OnceLock::new(),
        }
    }

    /// Returns the peer in words.
    pub fn peer(&self) -> &str {
        self.late_peer.get().unwrap_or(&self.peer)
    }

    pub(in crate::actors) fn set_peer(&self, peer: String) {
        let _ = self.late_peer.set(peer); // the peer is learned once
    }

    /// Its user, once it has logged in.
    pub fn user(&self) -> Option<UserName> {
        self.user.lock().clone()
    }

    /// Describes the session for an operator.
    pub fn line(&self) -> SessionLine<'static> {
        SessionLine {
            session: self.id,
            user: self.user().map(|user| Cow::Owned(user.to_string())),
            endpoint: Cow::Owned(self.endpoint.to_string()),
            peer: Cow::Owned(self.peer().to_owned()),
            since: self.since,
            sent: self.sent(),
        }
    }

    /// Its broadcasts begin after this seq; `None` if it gets none.
    pub(in crate::actors) fn after(&self) -> Option<Seq> {
        self.after.get().copied()
    }

    /// The last broadcast written to it.
    pub fn sent(&self) -> Seq {
        Seq(self.sent.load(Ordering::Relaxed))
    }

    /// Describes the session for a stop that has no record of it.
    pub(super) fn observe(&self) -> ObservedSession {
        let permissions = self.permissions.get();
        let rules = permissions.and_then(|rules| rules.of_kind(RuleKind::Subscribe));
        ObservedSession {
            session: self.id,
            user: self.user().map(|user| user.to_string()),
            endpoint: self.endpoint.to_string(),
            after: self.after(),
            sent: self.sent(),
            filter: self.filter.lock().as_deref().cloned(),
            rules: rules.map(|rules| SubscribeRules::new(&rules, self.sent())),
        }
    }

    pub(in crate::actors) fn set_user(&self, user: UserName) {
        *self.user.lock() = Some(user);
    }

    /// Notes that it gets the broadcasts that follow `after`, as far as the rules allow.
    pub(in crate::actors) fn follow(&self, after: Seq, permissions: Arc<LivePermissions>) {
        let _ = self.after.set(after); // a session logs in at most once
        let _ = self.permissions.set(permissions);
        self.set_sent(after);
    }

    /// Notes what it chose to receive, without the patterns; `None` for everything.
    pub(in crate::actors) fn choose(&self, filter: Option<SessionFilter>) {
        *self.filter.lock() = filter.map(Box::new);
    }

    pub(in crate::actors) fn set_sent(&self, seq: Seq) {
        self.sent.store(seq.0, Ordering::Relaxed);
    }
}

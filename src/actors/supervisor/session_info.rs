//! The facts that are known of a session without asking it.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::accounts::{LivePermissions, RevocationReason, UserName};
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
    peer: Box<str>,
    /// The peer in words, if more became known later.
    late_peer: OnceLock<Box<str>>,
    /// When it connected.
    pub since: Millis,
    client: Mutex<Client>,
    /// Its broadcasts, once it gets any.
    followed: OnceLock<Followed>,
    sent: AtomicU64,
    /// Why an operator has ended it, once that is so.
    dismissal: OnceLock<Box<RevocationReason>>,
}

/// The facts that a session's client decides.
#[derive(Debug, Default)]
struct Client {
    user: Option<UserName>,
    /// Its choice of broadcasts, without the patterns; `None` for everything.
    filter: Option<Box<SessionFilter>>,
}

/// The broadcasts of a session.
#[derive(Debug)]
struct Followed {
    /// They begin after this seq.
    after: Seq,
    /// The operator's rules about them.
    permissions: Arc<LivePermissions>,
}

impl SessionInfo {
    /// A session that has just connected.
    pub fn new(id: SessionId, endpoint: Arc<str>, peer: String) -> Self {
        SessionInfo {
            id,
            endpoint,
            peer: peer.into(),
            late_peer: OnceLock::new(),
            since: Millis::now(),
            client: Mutex::default(),
            followed: OnceLock::new(),
            sent: AtomicU64::new(0),
            dismissal: OnceLock::new(),
        }
    }

    /// Returns the peer in words.
    pub fn peer(&self) -> &str {
        self.late_peer.get().unwrap_or(&self.peer)
    }

    pub(in crate::actors) fn set_peer(&self, peer: String) {
        let _ = self.late_peer.set(peer.into()); // the peer is learned once
    }

    /// Its user, once it has logged in.
    pub fn user(&self) -> Option<UserName> {
        self.client.lock().user.clone()
    }

    /// Whether a user has logged in.
    pub fn is_logged_in(&self) -> bool {
        self.client.lock().user.is_some()
    }

    /// Returns how many broadcasts up to `head` it has not been sent; `None` if it gets none, or only
    /// those that it chose.
    pub fn lag(&self, head: Seq) -> Option<u64> {
        self.after()?;
        let is_unfiltered = self.client.lock().filter.is_none();
        is_unfiltered.then(|| head.0.saturating_sub(self.sent().0))
    }

    /// Returns why an operator has ended it, once that is so.
    pub(in crate::actors) fn dismissal(&self) -> Option<RevocationReason> {
        self.dismissal.get().map(|why| (**why).clone())
    }

    /// Notes that an operator has ended it. The session looks here when it is told to check its
    /// standing. The first reason counts.
    pub(super) fn dismiss(&self, why: Option<Arc<str>>) {
        let _ = self
            .dismissal
            .set(Box::new(RevocationReason::Operator(why)));
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
        self.followed.get().map(|followed| followed.after)
    }

    /// The last broadcast written to it.
    pub fn sent(&self) -> Seq {
        Seq(self.sent.load(Ordering::Relaxed))
    }

    /// Describes the session for a stop that has no record of it.
    pub(super) fn observe(&self) -> ObservedSession {
        let followed = self.followed.get();
        let rules = followed.and_then(|followed| followed.permissions.of_kind(RuleKind::Subscribe));
        ObservedSession {
            session: self.id,
            user: self.user().map(|user| user.to_string()),
            endpoint: self.endpoint.to_string(),
            after: self.after(),
            sent: self.sent(),
            filter: self.client.lock().filter.as_deref().cloned(),
            rules: rules.map(|rules| SubscribeRules::new(&rules, self.sent())),
        }
    }

    pub fn set_user(&self, user: UserName) {
        self.client.lock().user = Some(user);
    }

    /// Notes that it gets the broadcasts that follow `after`, as far as the rules allow.
    pub fn follow(&self, after: Seq, permissions: Arc<LivePermissions>) {
        let followed = Followed { after, permissions };
        let _ = self.followed.set(followed); // a session logs in at most once
        self.set_sent(after);
    }

    /// Notes what it chose to receive, without the patterns; `None` for everything.
    pub(in crate::actors) fn choose(&self, filter: Option<SessionFilter>) {
        self.client.lock().filter = filter.map(Box::new);
    }

    pub(in crate::actors) fn set_sent(&self, seq: Seq) {
        self.sent.store(seq.0, Ordering::Relaxed);
    }
}

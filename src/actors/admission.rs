//! Decides for each connection whether it is admitted, and holds the limits that it meets.

use std::sync::Arc;
use std::task::Context;

use super::draining::Draining;
use super::permits::{KeyedLimit, Permits, SessionLimit};
use super::unauthenticated::UnauthenticatedLimit;
use crate::accounts::PeerId;

/// The decision about a connection.
#[derive(Debug)]
pub enum Admission {
    /// It is served.
    Admitted(Permits),
    /// A limit is reached: it is told so.
    Full(Permits),
    /// A limit is reached and many connections are being refused: it is told so, and the
    /// refusal does not wait until the client has read it.
    FullBriefly(Permits),
    /// The server drains: it is told so.
    Draining(Permits),
    /// The server is stopping: it is told so.
    Stopping,
}

/// The treatment of connections beyond a session limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// They are accepted, and told that the limit is reached.
    Refuse,
    /// They are not accepted before a permit is free.
    Wait,
}

/// The limits that the connections of one listener meet.
pub struct AdmissionPolicy {
    /// Each connection takes a permit of each of these.
    pub sessions: Arc<[SessionLimit]>,
    /// It takes one of its peer's permits.
    pub peers: KeyedLimit<PeerId>,
    /// It takes one of the permits of its peer's network.
    pub networks: KeyedLimit<PeerId>,
    /// It takes one of the permits of sessions that have not logged in, if the listener's
    /// dialect has a login.
    pub unauthenticated: Option<UnauthenticatedLimit>,
    /// The treatment of connections beyond the limits in `sessions`.
    pub when_full: WhenFull,
    /// Whether no connection is served.
    pub draining: Draining,
    /// A connection that is being refused takes a permit of each of these.
    pub refused: Arc<[SessionLimit]>,
    /// A connection that has the time to read its refusal takes a permit of each of these.
    pub refused_patiently: Arc<[SessionLimit]>,
}

impl AdmissionPolicy {
    /// Decides about a connection of `peer`. Returns `None` if the connection can neither be
    /// served nor refused now. That passes in a moment, as half of the refusals do not wait
    /// until they are read: a peer that is over its limit may connect without a pause, and
    /// keeps no other peer out.
    pub(super) fn decide(&self, peer: PeerId) -> Option<Admission> {
        if self.draining.is_on() {
            return Permits::acquire(&self.refused).map(Admission::Draining);
        }
        if let Some(permits) = self.acquire(peer) {
            return Some(Admission::Admitted(permits));
        }
        if let Some(permits) = Permits::acquire(&self.refused_patiently) {
            return Some(Admission::Full(permits));
        }
        Permits::acquire(&self.refused).map(Admission::FullBriefly)
    }

    fn acquire(&self, peer: PeerId) -> Option<Permits> {
        let permits = Permits::acquire(&self.sessions)?;
        let permits = permits.with_peer(&self.peers, &self.networks, peer.clone())?;
        match &self.unauthenticated {
            None => Some(permits),
            Some(limit) => permits.with_unauthenticated(limit, peer),
        }
    }

    /// Returns whether the next connection can be served or refused. If not, it is left in the
    /// system's backlog, and the task is woken once a permit is free.
    ///
    /// All acceptors run on one thread, so no other acceptor takes the permit in between.
    pub(super) fn poll_ready(&self, cx: &Context<'_>) -> bool {
        let has_session = self.sessions.iter().all(|limit| limit.poll_free(cx));
        has_session || (self.when_full == WhenFull::Refuse && self.poll_refusal(cx))
    }

    /// Returns whether a connection can be refused now; if not, the task is woken once it can.
    pub(super) fn poll_refusal(&self, cx: &Context<'_>) -> bool {
        self.refused.iter().all(|limit| limit.poll_free(cx))
    }
}

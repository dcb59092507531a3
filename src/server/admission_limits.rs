//! The limits of sessions that all listeners of a server share.

use std::sync::Arc;

use super::config::Limits;
use super::listen::Listen;
use crate::accounts::{PeerId, UserName};
use crate::actors::admission::{AdmissionPolicy, WhenFull};
use crate::actors::draining::Draining;
use crate::actors::permits::{KeyedLimit, SessionLimit};
use crate::actors::unauthenticated::UnauthenticatedLimit;

/// The most connections that are refused at one moment. Each takes a descriptor.
const MOST_REFUSED: usize = 256;

/// The limits of sessions that all listeners of a server share. Clones share them too.
#[derive(Clone)]
pub(super) struct AdmissionLimits {
    server: SessionLimit,
    /// Connections that are being refused: all of them, and those among them that have the
    /// time to read why.
    refused: SessionLimit,
    refused_patiently: SessionLimit,
    unauthenticated: UnauthenticatedLimit,
    networks: KeyedLimit<PeerId>,
    pub(super) draining: Draining,
    pub(super) peers: KeyedLimit<PeerId>,
    pub(super) users: KeyedLimit<UserName>,
}

impl AdmissionLimits {
    pub(super) fn new(limits: &Limits) -> AdmissionLimits {
        let (refused, per_network) = (most_refused(limits), per_network(limits));
        AdmissionLimits {
            server: SessionLimit::new(limits.max_sessions),
            refused: SessionLimit::new(refused),
            refused_patiently: SessionLimit::new(refused / 2),
            unauthenticated: UnauthenticatedLimit::new(limits.max_unauthenticated),
            networks: KeyedLimit::new(per_network),
            draining: Draining::default(),
            peers: KeyedLimit::new(limits.max_sessions_per_peer),
            users: KeyedLimit::new(limits.max_sessions_per_user),
        }
    }

    /// Changes the limits. Sessions beyond them go on.
    pub(super) fn set(&self, limits: &Limits) {
        let refused = most_refused(limits);
        self.refused.set(refused);
        self.refused_patiently.set(refused / 2);
        self.unauthenticated.set(limits.max_unauthenticated);
        self.networks.set(per_network(limits));
        self.peers.set(limits.max_sessions_per_peer);
        self.users.set(limits.max_sessions_per_user);
        // Last, as it lets acceptors go on that wait.
        self.server.set(limits.max_sessions);
    }

    /// Returns the limits that the connections of one listener meet.
    pub(super) fn of(&self, listen: &Listen) -> AdmissionPolicy {
        let own = listen.max.map(SessionLimit::new);
        let is_raw = listen.dialect.raw().is_some();
        AdmissionPolicy {
            sessions: own.into_iter().chain([self.server.clone()]).collect(),
            peers: self.peers.clone(),
            networks: self.networks.clone(),
            unauthenticated: (!is_raw).then(|| self.unauthenticated.clone()),
            // The raw dialect cannot tell a client that it is one too many.
            when_full: if is_raw {
                WhenFull::Wait
            } else {
                WhenFull::Refuse
            },
            draining: self.draining.clone(),
            refused: Arc::from([self.refused.clone()]),
            refused_patiently: Arc::from([self.refused.clone(), self.refused_patiently.clone()]),
        }
    }
}

/// Returns how many connections may be refused at one moment.
fn most_refused(limits: &Limits) -> usize {
    (limits.max_sessions / 8).clamp(2, MOST_REFUSED)
}

/// Returns the most sessions of a network: it may have half of those that one of its peers leaves.
fn per_network(limits: &Limits) -> usize {
    let per_peer = limits.max_sessions_per_peer;
    per_peer.saturating_add(limits.max_sessions.saturating_sub(per_peer) / 2)
}

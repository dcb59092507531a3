//! The limits of sessions that all listeners of a server share.

use std::sync::Arc;

use super::config::Limits;
use super::listen::Listen;
use crate::accounts::{PeerId, UserName};
use crate::actors::admission::{AdmissionPolicy, WhenFull};
use crate::actors::permits::{KeyedLimit, SessionLimit};
use crate::actors::unauthenticated::UnauthenticatedLimit;

/// The most connections that are refused at one moment. Each takes a descriptor.
const MOST_REFUSED: usize = 256;

/// The limits of sessions that all listeners of a server share.
pub(super) struct AdmissionLimits {
    server: SessionLimit,
    /// Connections that are being refused: all of them, and those among them that have the
    /// time to read why.
    refused: Arc<[SessionLimit]>,
    refused_patiently: Arc<[SessionLimit]>,
    unauthenticated: UnauthenticatedLimit,
    networks: KeyedLimit<PeerId>,
    pub(super) peers: KeyedLimit<PeerId>,
    pub(super) users: KeyedLimit<UserName>,
}

impl AdmissionLimits {
    pub(super) fn new(limits: &Limits) -> AdmissionLimits {
        let refused = (limits.max_sessions / 8).clamp(2, MOST_REFUSED);
        // A network may have half of the sessions that one of its peers leaves.
        let per_peer = limits.max_sessions_per_peer;
        let per_network = per_peer + limits.max_sessions.saturating_sub(per_peer) / 2;
        let (all, patiently) = (SessionLimit::new(refused), SessionLimit::new(refused / 2));
        AdmissionLimits {
            server: SessionLimit::new(limits.max_sessions),
            refused: Arc::from([all.clone()]),
            refused_patiently: Arc::from([all, patiently]),
            unauthenticated: UnauthenticatedLimit::new(limits.max_unauthenticated),
            networks: KeyedLimit::new(per_network),
            peers: KeyedLimit::new(per_peer),
            users: KeyedLimit::new(limits.max_sessions_per_user),
        }
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
            refused: self.refused.clone(),
            refused_patiently: self.refused_patiently.clone(),
        }
    }
}

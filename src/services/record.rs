//! The record of one call, from its acceptance to its end.

use std::sync::Arc;
use std::time::Instant;

use super::call::{NewCall, Payload};
use crate::wire::SessionId;

/// A call that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct CallRecord {
    caller: SessionId,
    service: Arc<str>,
    made_at: Instant,
    deadline: Instant,
    /// The session that is to answer it; `None` while it waits for a free one.
    responder: Option<SessionId>,
    /// The request, until the responder has taken it.
    untaken: Option<Payload>,
}

impl CallRecord {
    /// Creates the record of a call, which waits.
    pub(super) fn new(caller: SessionId, service: Arc<str>, call: NewCall<'_>) -> CallRecord {
        CallRecord {
            caller,
            service,
            made_at: call.made_at,
            deadline: call.deadline,
            responder: None,
            untaken: Some(call.payload),
        }
    }

    pub(super) fn made_at(&self) -> Instant {
        self.made_at
    }

    pub(super) fn caller(&self) -> SessionId {
        self.caller
    }

    pub(super) fn service(&self) -> &Arc<str> {
        &self.service
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns the session that is to answer the call; `None` while it waits for a free one.
    pub(super) fn responder(&self) -> Option<SessionId> {
        self.responder
    }

    /// Whether the responder has taken the call.
    pub(super) fn is_taken(&self) -> bool {
        self.untaken.is_none()
    }

    /// Whether this session has taken the call.
    pub(super) fn is_taken_by(&self, session: SessionId) -> bool {
        self.responder == Some(session) && self.is_taken()
    }

    /// Returns the bytes of the request; `None` once the responder has taken it.
    pub(super) fn untaken_bytes(&self) -> Option<usize> {
        self.untaken.as_ref().map(Payload::bytes)
    }

    /// Gives a call that waits to a session.
    pub(super) fn give(&mut self, responder: SessionId) {
        self.responder = Some(responder);
    }

    /// Takes the request for the responder; `None` if that was done before.
    pub(super) fn take_payload(&mut self) -> Option<Payload> {
        self.untaken.take()
    }

    /// Lets the call wait again where its responder has not taken it. Returns the bytes of the request;
    /// `None` if the responder has taken it.
    pub(super) fn wait_again(&mut self) -> Option<usize> {
        let bytes = self.untaken_bytes()?;
        self.responder = None;
        Some(bytes)
    }
}

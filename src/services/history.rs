//! The calls that ended last, for the report of a stop.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::call::CallId;
use super::record::CallRecord;
use crate::close::{CallEnd, CallParty, Micros, RecordedCall};
use crate::wire::SessionId;

/// The most calls that are held.
const HELD: usize = 1024;

/// The calls that ended last.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct History {
    ended: VecDeque<EndedCall>,
    unlisted: u64,
}

/// The record of a call for the report.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct EndedCall {
    pub(super) call: CallId,
    pub(super) service: Arc<str>,
    pub(super) caller: Party,
    pub(super) responder: Option<Party>,
    pub(super) is_sent: bool,
    pub(super) made_at: Instant,
    /// When the service answered.
    pub(super) answered_at: Option<Instant>,
    /// `None` for a call that has not ended.
    pub(super) end: Option<CallEnd>,
}

/// A session and its user.
pub(super) type Party = (SessionId, Arc<str>);

impl History {
    /// Notes a call that has ended. The earliest one is dropped where there are too many.
    pub(super) fn note(&mut self, ended: EndedCall) {
        if self.ended.len() == HELD {
            self.ended.pop_front();
            self.unlisted += 1;
        }
        self.ended.push_back(ended);
    }

    /// Returns how many calls were dropped.
    pub(super) fn unlisted(&self) -> u64 {
        self.unlisted
    }

    pub(super) fn ended(&self) -> impl Iterator<Item = &EndedCall> {
        self.ended.iter()
    }
}

impl EndedCall {
    pub(super) fn new(
        (call, record): (CallId, &CallRecord),
        (caller, responder): (Arc<str>, Option<Arc<str>>),
        end: Option<CallEnd>,
    ) -> EndedCall {
        EndedCall {
            call,
            service: Arc::clone(record.service()),
            caller: (record.caller(), caller),
            responder: record.responder().zip(responder),
            is_sent: record.is_taken(),
            made_at: record.made_at(),
            answered_at: None,
            end,
        }
    }

    /// Returns it as the report of a stop that began at this moment has it.
    pub(super) fn recorded(&self, began: Instant) -> RecordedCall {
        let took = |at: Instant| micros(at.saturating_duration_since(self.made_at));
        let before = micros(began.saturating_duration_since(self.made_at));
        let after = micros(self.made_at.saturating_duration_since(began));
        RecordedCall {
            call: self.call.0,
            service: self.service.to_string(),
            caller: party(&self.caller),
            responder: self.responder.as_ref().map(party),
            sent: self.is_sent,
            made_us: after.cast_signed() - before.cast_signed(),
            took_us: self.answered_at.map(|at| Micros(took(at))),
            end: self.end,
        }
    }
}

fn party((session, user): &Party) -> CallParty {
    CallParty {
        session: *session,
        user: user.to_string(),
    }
}

fn micros(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX >> 1)
}

//! A session's own calls and offers of services, as far as its decisions need them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::services::CallId;

/// The calls that a session has made, the services that it offers, and the frames that take offers
/// back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct ServicePart {
    offers: BTreeSet<String>,
    /// The ids of the frames that take offers back and are not answered.
    withdrawals: Vec<u64>,
    calls: BTreeMap<CallId, OwnCall>,
    deadlines: BTreeSet<(Instant, CallId)>,
}

/// A call that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct OwnCall {
    /// The id of the request.
    id: u64,
    deadline: Instant,
}

impl ServicePart {
    /// Whether frames wait for their answers.
    pub(super) fn owes_answers(&self) -> bool {
        !self.calls.is_empty() || !self.withdrawals.is_empty()
    }

    /// Whether the session waits for the end of a call.
    pub(super) fn has_calls(&self) -> bool {
        !self.calls.is_empty()
    }

    pub(super) fn add_offer(&mut self, service: &str) {
        self.offers.insert(service.to_owned());
    }

    pub(super) fn remove_offer(&mut self, service: &str) {
        self.offers.remove(service);
    }

    pub(super) fn offers(&self) -> impl Iterator<Item = &str> {
        self.offers.iter().map(String::as_str)
    }

    pub(super) fn add_withdrawal(&mut self, id: u64) {
        self.withdrawals.push(id);
    }

    /// Returns whether a frame that takes an offer back was not answered; it is now.
    pub(super) fn end_withdrawal(&mut self, id: u64) -> bool {
        let place = self.withdrawals.iter().position(|known| *known == id);
        place.map(|place| self.withdrawals.remove(place)).is_some()
    }

    /// Takes the ids of all such frames.
    pub(super) fn take_withdrawals(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.withdrawals)
    }

    pub(super) fn add_call(&mut self, call: CallId, id: u64, deadline: Instant) {
        self.calls.insert(call, OwnCall { id, deadline });
        self.deadlines.insert((deadline, call));
    }

    /// Ends a call. Returns the id of its request; `None` if it has ended before.
    pub(super) fn end_call(&mut self, call: CallId) -> Option<u64> {
        let OwnCall { id, deadline } = self.calls.remove(&call)?;
        self.deadlines.remove(&(deadline, call));
        Some(id)
    }

    /// Waits for the end of a call without a deadline.
    pub(super) fn end_deadline(&mut self, call: CallId) {
        if let Some(OwnCall { deadline, .. }) = self.calls.get(&call) {
            self.deadlines.remove(&(*deadline, call));
        }
    }

    /// Returns the call whose deadline comes first.
    pub(super) fn next_deadline(&self) -> Option<(Instant, CallId)> {
        self.deadlines.first().copied()
    }

    /// Returns a call that has not ended.
    pub(super) fn any_call(&self) -> Option<CallId> {
        self.calls.keys().next().copied()
    }
}

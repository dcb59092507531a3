//! The decisions about services: which session gets a call, and how each call ends.
//!
//! Plain state without a clock, a lock or a task, so that tests and the model checker drive it.
//!
//! Invariants:
//! - An accepted call ends once: by its answer, by its caller, or because it cannot be answered.
//! - A call that a session has taken is never given to another one: it may have been done. One that
//!   was not taken is given to another session where its own ends.
//! - No call waits while a session is free for it, and none where no session offers the service.

#[cfg(test)]
mod consistency;
mod ends;
mod offers;
mod own;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::close::{CallEnd, RecentCalls, SessionCalls};
use crate::services::call::{CallId, CallRefusal, GivenCall, NewCall, ServiceEvent};
use crate::services::history::History;
use crate::services::limits::ServiceLimits;
use crate::services::participant::{Participant, Told};
use crate::services::participants::{Participants, SERVER, Wakes};
use crate::services::record::CallRecord;
use crate::services::service::Service;
use crate::services::service_table::{OfferInfo, ServiceInfo, ServiceTable};
use crate::sync::AtomicWaker;
use crate::wire::SessionId;

/// All services, calls, and the sessions that take part.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Registry {
    limits: ServiceLimits,
    services: ServiceTable,
    calls: BTreeMap<CallId, CallRecord>,
    participants: Participants,
    history: History,
    last_call: u64,
}

impl Registry {
    /// Creates a registry without services.
    pub fn new(limits: ServiceLimits) -> Registry {
        Registry {
            limits,
            services: ServiceTable::default(),
            calls: BTreeMap::new(),
            participants: Participants::default(),
            history: History::default(),
            last_call: 0,
        }
    }

    /// Changes the bounds. Offers and calls beyond them stay.
    pub fn set_limits(&mut self, limits: ServiceLimits) {
        self.limits = limits;
    }

    /// Lets a session take part.
    pub fn join(&mut self, session: SessionId, user: Arc<str>, waker: Arc<AtomicWaker>) {
        self.participants.add(session, user, waker);
    }

    /// Accepts a call.
    ///
    /// # Errors
    /// Nobody offers the service, or a limit is reached.
    pub fn call(
        &mut self,
        caller: SessionId,
        call: NewCall<'_>,
        wakes: &mut Wakes,
    ) -> Result<CallId, CallRefusal> {
        let limits = self.limits;
        self.check_caller(caller)?;
        let found = self.services.find(call.service);
        let Some((name, service)) = found.filter(|(_, service)| service.is_offered()) else {
            return Err(CallRefusal::NotOffered);
        };
        let bytes = call.payload.bytes();
        if !service.has_free() {
            if service.waiting() >= limits.waiting_calls {
                return Err(CallRefusal::WaitingLimit(limits.waiting_calls));
            }
            let sum = service.waiting_bytes() + bytes;
            if sum > limits.waiting_bytes && service.waiting() > 0 {
                return Err(CallRefusal::WaitingBytes);
            }
        }
        let name = Arc::clone(name);
        let id = self.note_made(caller);
        let record = CallRecord::new(caller, Arc::clone(&name), call);
        self.calls.insert(id, record);
        let service = self.services.get(&name).expect("it was found above");
        match service.begin() {
            Some(session) => self.give(id, session, wakes),
            None => service.wait(caller, id, bytes),
        }
        Ok(id)
    }

    fn check_caller(&mut self, caller: SessionId) -> Result<(), CallRefusal> {
        let most = self.limits.calls;
        match self.participants.get(caller).unfinished() < most {
            true => Ok(()),
            false => Err(CallRefusal::CallerLimit(most)),
        }
    }

    fn note_made(&mut self, caller: SessionId) -> CallId {
        self.last_call += 1;
        let call = CallId(self.last_call);
        self.participants.get(caller).note_made(call);
        call
    }

    /// Takes what a session is told next.
    pub fn take(&mut self, session: SessionId, wakes: &mut Wakes) -> Option<ServiceEvent> {
        self.participants.find(session)?;
        let participant = self.participants.get(session);
        let call = match participant.take()? {
            Told::Event(event) => return Some(event),
            Told::Call(call) => call,
        };
        let record = self
            .calls
            .get_mut(&call)
            .expect("it is removed with the call");
        let payload = record.take_payload().expect("it is taken once");
        let (kept_up, bytes) = (participant.keeps_up(), payload.bytes());
        participant.note_taken(bytes);
        let keeps_up = participant.keeps_up();
        let (service, caller, deadline) = (record.service(), record.caller(), record.deadline());
        let given = GivenCall {
            call,
            service: Arc::clone(service),
            from: Arc::clone(self.participants.get(caller).user()),
            payload,
            deadline,
        };
        if keeps_up != kept_up {
            self.note_pace(session, wakes);
        }
        Some(ServiceEvent::Call(Box::new(given)))
    }

    /// Removes a session: its own calls are cancelled, its offers end, and the calls that it has taken
    /// get no answer.
    /// Returns the counts of its calls.
    pub fn leave(&mut self, session: SessionId, wakes: &mut Wakes) -> SessionCalls {
        if self.participants.find(session).is_none() {
            return SessionCalls::default();
        }
        self.stop_answering(session, wakes);
        while let Some(call) = self.participants.get(session).made().first().copied() {
            self.cancel_made(session, call, CallEnd::CallerEnded, wakes);
        }
        let counts = self.counts(session);
        self.participants.remove(session);
        counts
    }

    /// Returns how many calls a session holds, taken or not.
    pub fn held(&self, session: SessionId) -> usize {
        let participant = self.participants.find(session);
        participant.map_or(0, |participant| participant.held().len())
    }

    /// Returns the counts of a session.
    pub fn counts(&self, session: SessionId) -> SessionCalls {
        let participant = self.participants.find(session);
        participant.map_or_else(SessionCalls::default, Participant::counts)
    }

    /// Returns each service above `after`, by name.
    pub fn services(&self, after: &str) -> impl Iterator<Item = ServiceInfo> {
        let services = self.services.above(after);
        services.map(|(name, service)| ServiceInfo {
            name: Arc::clone(name),
            offers: self.offers_of(service).collect(),
            waiting: service.waiting(),
            statistics: service.statistics().summary(),
        })
    }

    fn offers_of(&self, service: &Service) -> impl Iterator<Item = OfferInfo> {
        service.offers().map(|(session, limit, in_work)| {
            let participant = self.participants.find(session);
            let user = participant.map(|participant| Arc::clone(participant.user()));
            OfferInfo {
                session,
                user: user.unwrap_or_default(),
                limit: (session != SERVER).then_some(limit),
                in_work,
            }
        })
    }

    /// Returns the newest calls, for the report of a stop that began at this moment.
    pub fn recent_calls(&self, began: Instant) -> RecentCalls {
        let open = self.calls.iter();
        let open = open.map(|(call, record)| self.recorded((*call, record), None));
        let open = open.map(|open| open.recorded(began));
        let ended = self.history.ended().map(|ended| ended.recorded(began));
        let mut listed: Vec<_> = ended.chain(open).collect();
        listed.sort_unstable_by_key(|line| line.call);
        RecentCalls {
            last: self.last_call,
            unlisted: self.history.unlisted(),
            listed,
        }
    }

    /// Gives the calls that wait to the sessions that are free for them.
    pub(super) fn give_waiting(&mut self, service: &Arc<str>, wakes: &mut Wakes) {
        while let Some(offered) = self.services.get(service)
            && let Some(call) = offered.next_waiting()
            && let Some(session) = offered.begin()
        {
            let record = &self.calls[&call];
            let bytes = record.untaken_bytes().unwrap_or_default();
            offered.stop_waiting(record.caller(), call, bytes);
            self.give(call, session, wakes);
        }
    }

    /// Gives a call to a session that is free for it.
    fn give(&mut self, call: CallId, session: SessionId, wakes: &mut Wakes) {
        let record = self.calls.get_mut(&call);
        let record = record.expect("it is removed with the call");
        record.give(session);
        let bytes = record.untaken_bytes().unwrap_or_default();
        if self.participants.give(session, call, bytes, wakes) {
            let offers = self.participants.get(session).offers();
            self.services.note_pace(offers, session, false);
        }
    }

    /// Notes in each service that a session offers whether it takes what it is given.
    pub(super) fn note_pace(&mut self, session: SessionId, wakes: &mut Wakes) {
        let keeps_up = self.participants.get(session).keeps_up();
        let offers = self.participants.offers(session);
        self.services.note_pace(&offers, session, keeps_up);
        for name in &offers {
            self.give_waiting(name, wakes);
        }
    }
}

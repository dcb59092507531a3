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
mod offers;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::services::call::{
    CallAnswer, CallId, CallOutcome, CallRefusal, GivenCall, NewCall, ServiceEvent, Unavailability,
};
use crate::services::limits::ServiceLimits;
use crate::services::participant::{CallCounts, Participant, Told};
use crate::services::participants::{Participants, Wakes};
use crate::services::record::CallRecord;
use crate::services::service::Service;
use crate::services::service_table::{OfferInfo, ServiceInfo, ServiceTable};
use crate::sync::AtomicWaker;
use crate::wire::SessionId;

/// All services, calls, and the sessions that take part.
#[derive(Debug)]
pub(in crate::services) struct Registry {
    limits: ServiceLimits,
    services: ServiceTable,
    calls: BTreeMap<CallId, CallRecord>,
    participants: Participants,
    last_call: u64,
}

impl Registry {
    pub(in crate::services) fn new(limits: ServiceLimits) -> Registry {
        Registry {
            limits,
            services: ServiceTable::default(),
            calls: BTreeMap::new(),
            participants: Participants::default(),
            last_call: 0,
        }
    }

    /// Lets a session take part.
    pub(in crate::services) fn join(
        &mut self,
        session: SessionId,
        user: Arc<str>,
        waker: Arc<AtomicWaker>,
    ) {
        self.participants.add(session, user, waker);
    }

    /// Accepts a call.
    ///
    /// # Errors
    /// Nobody offers the service, or a limit is reached.
    pub(in crate::services) fn call(
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
        service.wait(id, bytes);
        self.give_waiting(&name, wakes);
        Ok(id)
    }

    /// Accepts a call that the server itself answers, by [`Registry::end_own`].
    ///
    /// # Errors
    /// The caller has as many calls in work as it may.
    pub(in crate::services) fn call_own(
        &mut self,
        caller: SessionId,
    ) -> Result<CallId, CallRefusal> {
        self.check_caller(caller)?;
        Ok(self.note_made(caller))
    }

    /// Ends a call that the server itself has answered, unless it was cancelled.
    pub(in crate::services) fn end_own(
        &mut self,
        caller: SessionId,
        call: CallId,
        outcome: CallOutcome,
        wakes: &mut Wakes,
    ) {
        let participant = self.participants.find(caller);
        if participant.is_some_and(|participant| participant.made().contains(&call)) {
            self.participants.tell_outcome(caller, call, outcome, wakes);
        }
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

    /// Takes the answer of a session to a call that it has taken and still holds. Any other answer
    /// has no effect. Returns whether it had one.
    pub(in crate::services) fn answer(
        &mut self,
        responder: SessionId,
        call: CallId,
        answer: CallAnswer,
        now: Instant,
        wakes: &mut Wakes,
    ) -> bool {
        let record = self.calls.get(&call);
        if !record.is_some_and(|record| record.is_taken_by(responder)) {
            return false;
        }
        let participant = self.participants.get(responder);
        participant.note_answered();
        let from = Arc::clone(participant.user());
        let is_reply = matches!(answer, CallAnswer::Reply(_));
        if let Some(record) = self.end_call(call, is_reply.then_some(now), wakes) {
            let outcome = CallOutcome::Answered { from, answer };
            self.participants
                .tell_outcome(record.caller(), call, outcome, wakes);
        }
        true
    }

    /// Ends a session's own call: its deadline has passed, or its caller does not wait any more.
    /// Returns whether it had not ended; then the session is not told of its end.
    pub(in crate::services) fn cancel(
        &mut self,
        caller: SessionId,
        call: CallId,
        wakes: &mut Wakes,
    ) -> bool {
        let participant = self.participants.find(caller);
        let is_own = participant.is_some_and(|participant| participant.made().contains(&call));
        if is_own {
            self.cancel_made(caller, call, wakes);
        }
        is_own
    }

    /// Takes what a session is told next.
    pub(in crate::services) fn take(
        &mut self,
        session: SessionId,
        wakes: &mut Wakes,
    ) -> Option<ServiceEvent> {
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
    pub(in crate::services) fn leave(
        &mut self,
        session: SessionId,
        wakes: &mut Wakes,
    ) -> CallCounts {
        if self.participants.find(session).is_none() {
            return CallCounts::default();
        }
        self.stop_answering(session, wakes);
        while let Some(call) = self.participants.get(session).made().first().copied() {
            self.cancel_made(session, call, wakes);
        }
        let counts = self.counts(session);
        self.participants.remove(session);
        counts
    }

    /// Returns how many calls a session holds, taken or not.
    pub(in crate::services) fn held(&self, session: SessionId) -> usize {
        let participant = self.participants.find(session);
        participant.map_or(0, |participant| participant.held().len())
    }

    /// Returns the counts of a session.
    pub(in crate::services) fn counts(&self, session: SessionId) -> CallCounts {
        let participant = self.participants.find(session);
        participant.map_or_else(CallCounts::default, Participant::counts)
    }

    /// Returns each service above `after`, by name.
    pub(in crate::services) fn services(&self, after: &str) -> impl Iterator<Item = ServiceInfo> {
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
                limit,
                in_work,
            }
        })
    }

    /// Gives the calls that wait to the sessions that are free for them.
    fn give_waiting(&mut self, service: &Arc<str>, wakes: &mut Wakes) {
        while let Some(offered) = self.services.get(service)
            && let Some(call) = offered.first_waiting()
            && let Some(session) = offered.begin()
        {
            let record = self
                .calls
                .get_mut(&call)
                .expect("it is removed with the call");
            let bytes = record.untaken_bytes().unwrap_or_default();
            record.give(session);
            offered.stop_waiting(call, bytes);
            if self.participants.give(session, call, bytes, wakes) {
                let offers = self.participants.get(session).offers();
                self.services.note_pace(offers, session, false);
            }
        }
    }

    /// Notes in each service that a session offers whether it takes what it is given.
    fn note_pace(&mut self, session: SessionId, wakes: &mut Wakes) {
        let keeps_up = self.participants.get(session).keeps_up();
        let offers = self.participants.offers(session);
        self.services.note_pace(&offers, session, keeps_up);
        for name in &offers {
            self.give_waiting(name, wakes);
        }
    }

    /// Ends a call whose caller is not told.
    fn cancel_made(&mut self, caller: SessionId, call: CallId, wakes: &mut Wakes) {
        self.participants.get(caller).forget_made(call);
        let Some(record) = self.end_call(call, None, wakes) else {
            return; // the server itself answers it
        };
        if let Some(responder) = record.responder()
            && record.is_taken_by(responder)
        {
            self.participants.tell_cancelled(responder, call, wakes);
        }
    }

    /// Removes a call, which had a reply at this moment, or ends in another way. Gives its session's
    /// place to the next call. Its caller still counts it.
    fn end_call(
        &mut self,
        call: CallId,
        replied_at: Option<Instant>,
        wakes: &mut Wakes,
    ) -> Option<CallRecord> {
        let record = self.calls.remove(&call)?;
        let service = Arc::clone(record.service());
        self.services
            .get_or_add(&service)
            .note_end(record.made_at(), replied_at);
        let untaken = record.untaken_bytes();
        match record.responder() {
            Some(responder) => self.release(responder, call, untaken, &service, wakes),
            None => {
                if let Some(service) = self.services.get(&service) {
                    service.stop_waiting(call, untaken.unwrap_or_default());
                }
            }
        }
        self.settle(&service, wakes);
        Some(record)
    }

    /// Takes a call from the session that was to answer it.
    fn release(
        &mut self,
        responder: SessionId,
        call: CallId,
        untaken: Option<usize>,
        service: &Arc<str>,
        wakes: &mut Wakes,
    ) {
        let participant = self.participants.get(responder);
        let kept_up = participant.keeps_up();
        participant.release(call, untaken);
        let keeps_up = participant.keeps_up();
        let offered = self.services.get(service);
        if let Some(ids) = offered.and_then(|offered| offered.finish(responder)) {
            self.end_offer(responder, service);
            for id in ids {
                self.participants
                    .tell_withdrawn(responder, service, Some(id), wakes);
            }
        }
        if keeps_up != kept_up {
            self.note_pace(responder, wakes);
        }
    }

    /// Gives calls that wait to free sessions, or ends them where no session offers the service any
    /// more. Removes a service of which nothing is left.
    fn settle(&mut self, service: &str, wakes: &mut Wakes) {
        let Some((name, offered)) = self.services.find(service) else {
            return;
        };
        let name = Arc::clone(name);
        if offered.is_offered() {
            self.give_waiting(&name, wakes);
            return;
        }
        while let Some(offered) = self.services.get(&name)
            && let Some(call) = offered.first_waiting()
        {
            let record = self
                .calls
                .remove(&call)
                .expect("it is removed with the call");
            offered.stop_waiting(call, record.untaken_bytes().unwrap_or_default());
            offered.note_end(record.made_at(), None);
            let why = CallOutcome::Unavailable(Unavailability::NotOffered);
            self.participants
                .tell_outcome(record.caller(), call, why, wakes);
        }
        self.services.remove_if_over(&name);
    }
}

//! How calls end.

use std::sync::Arc;
use std::time::Instant;

use super::Registry;
use crate::close::CallEnd;
use crate::services::call::{CallAnswer, CallId, CallOutcome, Unavailability};
use crate::services::history::EndedCall;
use crate::services::participants::{SERVER, Wakes};
use crate::services::record::CallRecord;
use crate::wire::SessionId;

impl Registry {
    /// Takes the answer of a session to a call that it has taken and still holds. Any other answer
    /// has no effect. Returns whether it had one.
    pub fn answer(
        &mut self,
        responder: SessionId,
        call: CallId,
        answer: CallAnswer,
        now: Instant,
        wakes: &mut Wakes,
    ) -> bool {
        let record = self.calls.get(&call);
        let Some(record) = record.filter(|record| record.is_taken_by(responder)) else {
            return false;
        };
        let caller = record.caller();
        let participant = self.participants.get(responder);
        participant.note_answered();
        let from = Arc::clone(participant.user());
        let has_room = self.participants.get(caller).has_room_for(&answer);
        let end = match &answer {
            _ if !has_room => CallEnd::ReplyDropped,
            CallAnswer::Reply(_) => CallEnd::Replied,
            CallAnswer::Failed { .. } => CallEnd::Failed,
            CallAnswer::TooLong => CallEnd::TooLong,
        };
        self.end_call(call, end, Some(now), wakes);
        let outcome = match has_room {
            true => CallOutcome::Answered { from, answer },
            false => CallOutcome::Unavailable(Unavailability::ReplyDropped),
        };
        self.participants.tell_outcome(caller, call, outcome, wakes);
        true
    }

    /// Ends a session's own call in this way: its deadline has passed, or its session ends.
    /// Returns whether it had not ended; then the session is not told of its end.
    pub fn cancel(
        &mut self,
        caller: SessionId,
        call: CallId,
        end: CallEnd,
        wakes: &mut Wakes,
    ) -> bool {
        let participant = self.participants.find(caller);
        let is_own = participant.is_some_and(|participant| participant.made().contains(&call));
        if is_own {
            self.cancel_made(caller, call, end, wakes);
        }
        is_own
    }

    /// Ends a call whose caller is not told.
    pub(super) fn cancel_made(
        &mut self,
        caller: SessionId,
        call: CallId,
        end: CallEnd,
        wakes: &mut Wakes,
    ) {
        self.participants.get(caller).forget_made(call);
        let record = self.end_call(call, end, None, wakes);
        if let Some(record) = record
            && let Some(responder) = record.responder()
            && record.is_taken_by(responder)
            && responder != SERVER
        {
            self.participants.tell_cancelled(responder, call, wakes);
        }
    }

    /// Removes a call, which was answered at this moment, or ends without an answer. Gives its session's
    /// place to the next call. Its caller still counts it.
    fn end_call(
        &mut self,
        call: CallId,
        end: CallEnd,
        answered_at: Option<Instant>,
        wakes: &mut Wakes,
    ) -> Option<CallRecord> {
        let record = self.calls.remove(&call)?;
        self.note_end(call, &record, end, answered_at);
        let service = Arc::clone(record.service());
        let untaken = record.untaken_bytes();
        match record.responder() {
            Some(responder) => self.release(responder, call, untaken, &service, wakes),
            None => {
                if let Some(service) = self.services.get(&service) {
                    service.stop_waiting(record.caller(), call, untaken.unwrap_or_default());
                }
            }
        }
        self.settle(&service, wakes);
        Some(record)
    }

    /// Notes the end of a call for operators.
    fn note_end(
        &mut self,
        call: CallId,
        record: &CallRecord,
        end: CallEnd,
        answered_at: Option<Instant>,
    ) {
        let replied_at = answered_at.filter(|_| end == CallEnd::Replied);
        let service = self.services.get_or_add(record.service());
        service.note_end(record.made_at(), replied_at);
        let ended = self.recorded((call, record), Some(end));
        self.history.note(EndedCall {
            answered_at,
            ..ended
        });
    }

    /// Returns what a report tells of a call.
    pub(super) fn recorded(
        &self,
        (call, record): (CallId, &CallRecord),
        end: Option<CallEnd>,
    ) -> EndedCall {
        let user = |session| {
            let participant = self.participants.find(session);
            participant.map(|participant| Arc::clone(participant.user()))
        };
        let caller = user(record.caller()).unwrap_or_default();
        let responder = record.responder().and_then(user);
        EndedCall::new((call, record), (caller, responder), end)
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
    pub(super) fn settle(&mut self, service: &str, wakes: &mut Wakes) {
        let Some((name, offered)) = self.services.find(service) else {
            return;
        };
        let name = Arc::clone(name);
        if offered.is_offered() {
            self.give_waiting(&name, wakes);
            return;
        }
        while let Some(offered) = self.services.get(&name)
            && let Some(call) = offered.next_waiting()
        {
            let record = self.calls.remove(&call);
            let record = record.expect("it is removed with the call");
            let bytes = record.untaken_bytes().unwrap_or_default();
            offered.stop_waiting(record.caller(), call, bytes);
            self.note_end(call, &record, CallEnd::NotOffered, None);
            let why = CallOutcome::Unavailable(Unavailability::NotOffered);
            self.participants
                .tell_outcome(record.caller(), call, why, wakes);
        }
        self.services.remove_if_over(&name);
    }

    /// Takes a call from a session that ends: it waits again if it was not taken.
    pub(super) fn lose(&mut self, call: CallId, wakes: &mut Wakes) {
        let Some(record) = self.calls.get_mut(&call) else {
            return;
        };
        let (service, caller) = (Arc::clone(record.service()), record.caller());
        if let Some(bytes) = record.wait_again() {
            return self.services.get_or_add(&service).wait(caller, call, bytes);
        }
        if let Some(record) = self.calls.remove(&call) {
            self.note_end(call, &record, CallEnd::ResponderEnded, None);
            let why = CallOutcome::Unavailable(Unavailability::ResponderEnded);
            self.participants
                .tell_outcome(record.caller(), call, why, wakes);
        }
    }
}

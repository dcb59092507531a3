//! The core's effects on services, as in `src/actors/session/io/services.rs`.

use std::time::Instant;

use arauto::internal::services::{
    CallAnswer, CallId, CallRefusal, NewCall, OfferRefusal, ServiceInfo, TooManyWithdrawals,
};
use arauto::internal::session::effects::ServiceEffects;
use arauto::wire::ServerFrame;
use arauto::{CallEnd, ErrorCode, Phase, SessionCalls, UserName};

use super::Outside;
use crate::broken::Broken;
use crate::calls::{AnswerKind, CallFault, ToldEnd};
use crate::item::{Item, number};
use crate::state::id;

impl ServiceEffects for Outside<'_> {
    fn offer(
        &mut self,
        user: &UserName,
        service: &str,
        limit: Option<u64>,
    ) -> Result<(), OfferRefusal> {
        self.join(user);
        let (at, limit) = (self.at, limit.unwrap_or(u64::MAX));
        let services = &mut self.world.services;
        services.calls.note_offer(at);
        services.change(|registry, wakes| registry.offer(id(at), service, limit, wakes))
    }

    fn withdraw(
        &mut self,
        user: &UserName,
        service: &str,
        number: u64,
    ) -> Result<(), TooManyWithdrawals> {
        self.join(user);
        self.admit(self.serving);
        if self.setting.is(Broken::WithdrawalDropsCalls) {
            self.end_offers();
        }
        let (at, services) = (self.at, &mut self.world.services);
        services.calls.note_offer_ended(at);
        services.change(|registry, wakes| registry.withdraw(id(at), service, number, wakes))
    }

    fn revoke_offer(&mut self, _: &str) {
        unreachable!("no rule of the model is about services")
    }

    fn retire_offers(&mut self) {
        if self.io.takes_part {
            let (at, services) = (self.at, &mut self.world.services);
            services.calls.note_offer_ended(at);
            services.change(|registry, wakes| registry.retire_all(id(at), wakes));
        }
    }

    fn stop_answering(&mut self) {
        if self.io.takes_part {
            self.note_offers_ended();
            self.end_offers();
        }
    }

    fn call(&mut self, user: &UserName, call: NewCall<'_>) -> Result<CallId, CallRefusal> {
        self.join(user);
        let (at, deadline) = (self.at, call.deadline);
        let services = &mut self.world.services;
        let made = services.change(|registry, wakes| registry.call(id(at), call, wakes))?;
        services.calls.note_made(made, at, self.serving, deadline);
        self.admit(self.serving);
        if !self.setting.is(Broken::CallsUncounted) {
            self.world.in_work += 1;
            self.io.calls_in_work.push(made);
        }
        Ok(made)
    }

    fn answer_call(&mut self, call: CallId, answer: CallAnswer, now: Instant) {
        if !self.io.takes_part {
            return;
        }
        let services = &mut self.world.services;
        let holder = services.calls.get(call).and_then(|fate| fate.sent_to);
        let from = match self.setting.is(Broken::ForeignAnswerTaken) {
            true => holder.unwrap_or(self.at),
            false => self.at,
        };
        let kind = AnswerKind::of(&answer);
        if services.change(|registry, wakes| registry.answer(id(from), call, answer, now, wakes)) {
            services.calls.note_answered(call, kind);
        }
    }

    fn cancel_call(&mut self, call: CallId, end: CallEnd) -> bool {
        if !self.io.takes_part || self.setting.is(Broken::DeadlinesForgotten) {
            return false;
        }
        let end = match self.setting.is(Broken::DeadlinesMisrecorded) {
            true => CallEnd::CallerEnded,
            false => end,
        };
        let (at, services) = (self.at, &mut self.world.services);
        let is_cancelled =
            services.change(|registry, wakes| registry.cancel(id(at), call, end, wakes));
        if is_cancelled {
            self.end_work_of(call);
        }
        is_cancelled
    }

    fn calls_held(&self) -> usize {
        self.world.services.registry().held(id(self.at))
    }

    fn leave_services(&mut self) {
        if !std::mem::take(&mut self.io.takes_part) {
            return;
        }
        self.has_acted = true;
        self.note_offers_ended();
        let (at, services) = (self.at, &mut self.world.services);
        services.calls.note_left(at);
        if self.setting.is(Broken::CallsOfLeaverStay) {
            services.change(|registry, wakes| registry.stop_answering(id(at), wakes));
        } else {
            let counts = services.change(|registry, wakes| registry.leave(id(at), wakes));
            self.io.calls_at_end = Some(counts);
        }
        self.world.in_work -= std::mem::take(&mut self.io.calls_in_work).len();
    }

    fn list_services(&self, after: &str, most: usize) -> Vec<ServiceInfo> {
        self.world.services.list(after, most)
    }
}

impl Outside<'_> {
    fn join(&mut self, user: &UserName) {
        if !std::mem::replace(&mut self.io.takes_part, true) {
            self.world.services.join(self.at, user.as_str());
        }
    }

    /// Takes a call that has ended out of the count of frames in work.
    pub fn end_work_of(&mut self, call: CallId) {
        let calls = &mut self.io.calls_in_work;
        if let Some(place) = calls.iter().position(|known| *known == call) {
            calls.remove(place);
            self.world.in_work -= 1;
        }
    }

    /// Ends the session's offers, and records the calls that it loses by that.
    pub fn end_offers(&mut self) {
        self.note_calls_lost();
        let (at, services) = (self.at, &mut self.world.services);
        let before = services.registry().clone();
        services.change(|registry, wakes| registry.stop_answering(id(at), wakes));
        self.has_acted |= *services.registry() != before;
    }

    /// Records that the session answers no more, for a reason that counts.
    fn note_offers_ended(&mut self) {
        self.note_calls_lost();
        self.world.services.calls.note_offer_ended(self.at);
    }

    fn note_calls_lost(&mut self) {
        let is_excused = self.has_left() || self.has_no_time();
        let calls = &mut self.world.services.calls;
        let had_calls = calls.note_lost(self.at);
        calls.record_fault(had_calls && !is_excused, CallFault::TakenAway);
    }

    /// Whether the client has gone, or the server has failed the session.
    fn has_left(&self) -> bool {
        let end = &self.io.client;
        end.is_gone || end.has_ended || self.has_failed()
    }

    /// Whether the server has failed the session.
    fn has_failed(&self) -> bool {
        self.is_panicking || self.io.queue.contains(&Item::Failure)
    }

    /// Whether the stop leaves no time for calls: the phase `requests` is over, or a phase was late.
    fn has_no_time(&self) -> bool {
        self.world.phase() > Some(Phase::Requests) || self.world.supervisor.was_late
    }

    /// Returns the counts of the session's calls for the report.
    pub fn calls(&self) -> Option<SessionCalls> {
        if !self.io.takes_part {
            return self.io.calls_at_end;
        }
        Some(self.world.services.registry().counts(id(self.at)))
    }

    /// Records the meaning of a frame for calls.
    pub fn record_call(&mut self, frame: &ServerFrame<'_>) {
        let at = self.at;
        let calls = &mut self.world.services.calls;
        match frame {
            ServerFrame::Call(call) => calls.note_sent(CallId(call.call), at),
            ServerFrame::Reply(reply) => {
                let from = sender(reply.body.as_text().unwrap_or_default());
                self.record_end(number(reply.id), ToldEnd::Replied, from);
            }
            ServerFrame::Error(error) => {
                if let (Some(id), Some(end)) = (error.id, end_of(error.code)) {
                    self.record_end(number(id), end, sender(&error.message));
                }
            }
            ServerFrame::Withdrawn(_) => {
                let is_early = calls.iter().any(|fate| fate.is_held_by(at));
                calls.record_fault(is_early, CallFault::EndedUnanswered);
            }
            ServerFrame::Closing(_) => {
                let holds_or_waits = calls
                    .iter()
                    .any(|fate| fate.is_held_by(at) || (fate.caller == at && fate.is_open()));
                calls.record_fault(holds_or_waits, CallFault::EndedUnanswered);
            }
            _ => {}
        }
    }

    fn record_end(&mut self, frame: u8, end: ToldEnd, from: Option<usize>) {
        let is_excused = self.has_failed() || self.has_no_time();
        let calls = &mut self.world.services.calls;
        let Some(fate) = calls.note_end(self.at, frame, end) else {
            return;
        };
        match end {
            ToldEnd::Replied | ToldEnd::Failed => {
                calls.record_fault(fate.sent_to != from, CallFault::ForeignAnswer);
            }
            ToldEnd::Unavailable => {
                let has_cause = match fate.sent_to {
                    Some(_) => fate.is_lost,
                    None => fate.is_unoffered,
                };
                calls.record_fault(!(has_cause || is_excused), CallFault::FalselyUnavailable);
            }
            ToldEnd::TimedOut | ToldEnd::CallerLeft => {}
        }
    }
}

/// Returns the end of a call that an error tells; `None` for an error that ends no call.
fn end_of(code: ErrorCode) -> Option<ToldEnd> {
    match code {
        ErrorCode::Failed => Some(ToldEnd::Failed),
        ErrorCode::Timeout => Some(ToldEnd::TimedOut),
        ErrorCode::Unavailable => Some(ToldEnd::Unavailable),
        _ => None,
    }
}

/// Returns the slot that an answer names as its sender. Each client of the model does so at the end of
/// its answer.
fn sender(text: &str) -> Option<usize> {
    let digit = text.chars().next_back()?.to_digit(10)?;
    usize::try_from(digit).ok()
}

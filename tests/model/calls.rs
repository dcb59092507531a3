//! The actual fate of each call of a service.
//!
//! The model records a fate when an effect of a session reaches the registry or the client. No decision
//! reads the record. The properties compare it with the counts of the registry.

use std::time::Instant;

use arauto::internal::services::{CallAnswer, CallId};
use smallvec::SmallVec;

use crate::state::SlotId;

/// The record of all calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Calls {
    all: SmallVec<[CallFate; 2]>,
    /// The slots whose sessions offer the service, a bit for each.
    offers: u8,
    /// The first fault.
    pub fault: Option<CallFault>,
}

/// The fate of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallFate {
    pub call: CallId,
    pub caller: SlotId,
    /// The number of the caller's frame.
    pub frame: u8,
    pub deadline: Instant,
    /// The session that was sent the call.
    pub sent_to: Option<SlotId>,
    /// The answer that the registry has taken.
    pub answer: Option<AnswerKind>,
    /// Whether no session offered the service at some time before the call was sent.
    pub is_unoffered: bool,
    /// Whether the session that was sent the call ended before it answered.
    pub is_lost: bool,
    /// The end, once the caller was told or has left.
    pub end: Option<ToldEnd>,
}

/// The kind of a responder's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerKind {
    Reply,
    Failure,
}

/// The end of a call, as its caller was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToldEnd {
    Replied,
    Failed,
    TimedOut,
    Unavailable,
    /// Nothing: the caller's session ended first.
    CallerLeft,
}

/// A breach of a rule that must hold at each instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallFault {
    /// A request was sent to a second session.
    SentTwice,
    /// A caller was told the end of its request twice.
    EndedTwice,
    /// A caller was told an answer of a session that was not sent the call.
    ForeignAnswer,
    /// A session lost its calls, although it had not ended by itself and the stop left time for them.
    TakenAway,
    /// A caller was told that its call is unavailable, although a session could answer it.
    FalselyUnavailable,
    /// A call had no end when its deadline had passed.
    DeadlineMissed,
    /// `withdrawn` or `closing` came before the session's last call had ended.
    EndedUnanswered,
}

impl CallFate {
    /// Whether the call has not ended, as far as its caller knows.
    pub fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Whether this session was sent the call, and can still answer it.
    pub fn is_held_by(&self, at: SlotId) -> bool {
        let is_unanswered = self.answer.is_none() && !self.is_lost;
        self.is_open() && is_unanswered && self.sent_to == Some(at)
    }

    fn is_of(&self, caller: SlotId, frame: u8) -> bool {
        self.caller == caller && self.frame == frame
    }
}

impl AnswerKind {
    pub fn of(answer: &CallAnswer) -> AnswerKind {
        match answer {
            CallAnswer::Reply(_) => AnswerKind::Reply,
            CallAnswer::Failed { .. } | CallAnswer::TooLong => AnswerKind::Failure,
        }
    }
}

impl Calls {
    pub fn iter(&self) -> impl Iterator<Item = &CallFate> {
        self.all.iter()
    }

    /// Returns the fate of a call that was made.
    pub fn get(&self, call: CallId) -> Option<&CallFate> {
        self.iter().find(|fate| fate.call == call)
    }

    fn get_mut(&mut self, call: CallId) -> Option<&mut CallFate> {
        self.all.iter_mut().find(|fate| fate.call == call)
    }

    /// Records a fault if it has occurred. The first fault stays.
    pub fn record_fault(&mut self, has_occurred: bool, fault: CallFault) {
        if has_occurred {
            self.fault.get_or_insert(fault);
        }
    }

    /// Records that a session offers the service.
    pub fn note_offer(&mut self, at: SlotId) {
        self.offers |= 1 << at;
    }

    /// Records that a session gets no further call.
    pub fn note_offer_ended(&mut self, at: SlotId) {
        self.offers &= !(1 << at);
        if self.offers == 0 {
            let unsent = self.all.iter_mut().filter(|fate| fate.sent_to.is_none());
            unsent.for_each(|fate| fate.is_unoffered = true);
        }
    }

    /// Records that a call was accepted.
    pub fn note_made(&mut self, call: CallId, caller: SlotId, frame: u8, deadline: Instant) {
        self.all.push(CallFate {
            call,
            caller,
            frame,
            deadline,
            sent_to: None,
            answer: None,
            is_unoffered: false,
            is_lost: false,
            end: None,
        });
    }

    /// Records that a session was sent a call.
    pub fn note_sent(&mut self, call: CallId, to: SlotId) {
        let Some(fate) = self.get(call) else { return };
        let (caller, frame) = (fate.caller, fate.frame);
        let was_sent = self.any_of(caller, frame, |fate| fate.sent_to.is_some());
        self.record_fault(was_sent, CallFault::SentTwice);
        if let Some(fate) = self.get_mut(call) {
            fate.sent_to = Some(to);
        }
    }

    /// Records that the registry has taken the answer to a call.
    pub fn note_answered(&mut self, call: CallId, kind: AnswerKind) {
        if let Some(fate) = self.get_mut(call) {
            fate.answer = Some(kind);
        }
    }

    /// Records that the caller of a frame was told its end. Returns the call's fate before that; `None`
    /// if no call of the frame was open, as it was refused.
    pub fn note_end(&mut self, caller: SlotId, frame: u8, end: ToldEnd) -> Option<CallFate> {
        let has_ended = self.any_of(caller, frame, |fate| !fate.is_open());
        self.record_fault(has_ended, CallFault::EndedTwice);
        let mut calls = self.all.iter_mut();
        let fate = calls.find(|fate| fate.is_of(caller, frame) && fate.is_open())?;
        let before = *fate;
        fate.end = Some(end);
        Some(before)
    }

    /// Whether a call of this frame has such a fate.
    fn any_of(&self, caller: SlotId, frame: u8, is_such: impl Fn(&CallFate) -> bool) -> bool {
        let mut calls = self.iter();
        calls.any(|fate| fate.is_of(caller, frame) && is_such(fate))
    }

    /// Records that a session answers no more. Returns whether it held a call.
    pub fn note_lost(&mut self, at: SlotId) -> bool {
        let held = self.all.iter_mut().filter(|fate| fate.is_held_by(at));
        held.map(|fate| fate.is_lost = true).count() > 0
    }

    /// Records that a caller's session has ended.
    pub fn note_left(&mut self, caller: SlotId) {
        let own = self.all.iter_mut().filter(|fate| fate.caller == caller);
        for fate in own.filter(|fate| fate.is_open()) {
            fate.end = Some(ToldEnd::CallerLeft);
        }
    }

    /// Records a fault if a call of this caller has no end, although its deadline has passed and no end
    /// is on its way.
    pub fn check_deadlines(&mut self, caller: SlotId, now: Instant) {
        let is_missed = |fate: &CallFate| {
            let is_due = fate.caller == caller && fate.deadline <= now;
            is_due && fate.is_open() && fate.answer.is_none() && !fate.is_lost
        };
        let has_missed = self.iter().any(is_missed);
        self.record_fault(has_missed, CallFault::DeadlineMissed);
    }

    /// Returns the first deadline of a caller's open calls.
    pub fn next_deadline(&self, caller: SlotId) -> Option<Instant> {
        let own = self.iter().filter(|fate| fate.caller == caller);
        let open = own.filter(|fate| fate.is_open());
        open.map(|fate| fate.deadline).min()
    }

    /// Whether a call has no end.
    pub fn has_open(&self) -> bool {
        self.iter().any(CallFate::is_open)
    }
}

//! One session's part in services: what it offers, makes and holds, and what it has to be told.
//!
//! Its memory is bounded: calls that it has not taken end with their callers or their deadlines, and
//! are removed then; each cancellation is of a call that it has taken, for which its output had
//! room; replies have a bound in bytes.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::call::{CallAnswer, CallId, CallOutcome, ServiceEvent};
use super::limits::{REPLY_BYTES, UNTAKEN_BYTES};
use super::task_waker::TaskWaker;
use crate::close::SessionCalls;
use crate::sync::AtomicWaker;

/// A session that offers or calls services.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Participant {
    user: Arc<str>,
    waker: TaskWaker,
    offers: BTreeSet<Arc<str>>,
    /// Its own calls that are in work or wait.
    made: BTreeSet<CallId>,
    /// The calls that it is to answer.
    held: BTreeSet<CallId>,
    /// Those of them that it has not taken.
    untaken: BTreeSet<CallId>,
    untaken_bytes: usize,
    cancelled: VecDeque<CallId>,
    withdrawn: VecDeque<(Arc<str>, Option<u64>)>,
    outcomes: VecDeque<(CallId, CallOutcome)>,
    outcome_bytes: usize,
    counts: SessionCalls,
}

/// Something that a participant is told, except for calls, whose contents the registry has.
#[derive(Debug)]
pub(super) enum Told {
    Event(ServiceEvent),
    Call(CallId),
}

impl Participant {
    pub(super) fn new(user: Arc<str>, waker: Arc<AtomicWaker>) -> Participant {
        Participant {
            user,
            waker: TaskWaker::of(waker),
            offers: BTreeSet::new(),
            made: BTreeSet::new(),
            held: BTreeSet::new(),
            untaken: BTreeSet::new(),
            untaken_bytes: 0,
            cancelled: VecDeque::new(),
            withdrawn: VecDeque::new(),
            outcomes: VecDeque::new(),
            outcome_bytes: 0,
            counts: SessionCalls::default(),
        }
    }

    pub(super) fn user(&self) -> &Arc<str> {
        &self.user
    }

    /// Returns what wakes the session's task.
    pub(super) fn waker(&self) -> &Arc<AtomicWaker> {
        self.waker.get()
    }

    pub(super) fn counts(&self) -> SessionCalls {
        self.counts
    }

    /// Whether it takes what it is given, so that it may be given more.
    pub(super) fn keeps_up(&self) -> bool {
        self.untaken_bytes <= UNTAKEN_BYTES
    }

    pub(super) fn offers(&self) -> &BTreeSet<Arc<str>> {
        &self.offers
    }

    pub(super) fn add_offer(&mut self, service: Arc<str>) {
        self.offers.insert(service);
    }

    pub(super) fn remove_offer(&mut self, service: &str) {
        self.offers.remove(service);
    }

    /// Returns its own calls that have not ended.
    pub(super) fn made(&self) -> &BTreeSet<CallId> {
        &self.made
    }

    /// Returns how many of its own calls it does not know the end of.
    pub(super) fn unfinished(&self) -> usize {
        self.made.len() + self.outcomes.len()
    }

    /// Returns the calls that it is to answer.
    pub(super) fn held(&self) -> &BTreeSet<CallId> {
        &self.held
    }

    /// Takes all of these calls from it.
    pub(super) fn take_held(&mut self) -> BTreeSet<CallId> {
        self.untaken.clear();
        self.untaken_bytes = 0;
        std::mem::take(&mut self.held)
    }

    pub(super) fn note_made(&mut self, call: CallId) {
        self.made.insert(call);
        self.counts.made += 1;
    }

    /// Gives it a call to answer.
    pub(super) fn give(&mut self, call: CallId, bytes: usize) {
        self.held.insert(call);
        self.untaken.insert(call);
        self.untaken_bytes += bytes;
    }

    /// Notes that it has taken a call.
    pub(super) fn note_taken(&mut self, bytes: usize) {
        self.untaken_bytes -= bytes;
        self.counts.held += 1;
    }

    /// Removes a call that it was to answer, of whose `bytes` it has not taken any, or which it has
    /// taken (`None`).
    pub(super) fn release(&mut self, call: CallId, untaken: Option<usize>) {
        self.held.remove(&call);
        if let Some(bytes) = untaken {
            self.untaken.remove(&call);
            self.untaken_bytes -= bytes;
        }
    }

    pub(super) fn note_answered(&mut self) {
        self.counts.answered += 1;
    }

    /// Tells it that it holds a call no longer, which it had taken.
    pub(super) fn tell_cancelled(&mut self, call: CallId) {
        self.cancelled.push_back(call);
    }

    /// Tells it that an offer is withdrawn.
    pub(super) fn tell_withdrawn(&mut self, service: Arc<str>, id: Option<u64>) {
        self.withdrawn.push_back((service, id));
    }

    /// Ends one of its own calls, of whose end it is not told.
    pub(super) fn forget_made(&mut self, call: CallId) {
        self.made.remove(&call);
        self.counts.failed += 1;
    }

    /// Whether this answer to one of its own calls is within the bound of those that it has not taken.
    /// One alone always is.
    pub(super) fn has_room_for(&self, answer: &CallAnswer) -> bool {
        self.outcome_bytes == 0 || self.outcome_bytes + answer_bytes(answer) <= REPLY_BYTES
    }

    /// Ends one of its own calls, and tells it how.
    pub(super) fn tell_outcome(&mut self, call: CallId, outcome: CallOutcome) {
        self.made.remove(&call);
        match &outcome {
            CallOutcome::Answered {
                answer: CallAnswer::Reply(_),
                ..
            } => self.counts.replied += 1,
            _ => self.counts.failed += 1,
        }
        self.outcome_bytes += outcome_bytes(&outcome);
        self.outcomes.push_back((call, outcome));
    }

    /// Takes what it is told next.
    pub(super) fn take(&mut self) -> Option<Told> {
        if let Some((call, outcome)) = self.outcomes.pop_front() {
            self.outcome_bytes -= outcome_bytes(&outcome);
            return Some(Told::Event(ServiceEvent::Outcome(call, outcome)));
        }
        if let Some(call) = self.cancelled.pop_front() {
            return Some(Told::Event(ServiceEvent::Cancelled(call)));
        }
        if let Some((service, id)) = self.withdrawn.pop_front() {
            return Some(Told::Event(ServiceEvent::Withdrawn { service, id }));
        }
        self.untaken.pop_first().map(Told::Call)
    }
}

fn outcome_bytes(outcome: &CallOutcome) -> usize {
    match outcome {
        CallOutcome::Answered { answer, .. } => answer_bytes(answer),
        CallOutcome::Unavailable(_) => 0,
    }
}

fn answer_bytes(answer: &CallAnswer) -> usize {
    match answer {
        CallAnswer::Reply(payload) => payload.bytes(),
        CallAnswer::Failed { code, message } => code.len() + message.len(),
        CallAnswer::TooLong => 0,
    }
}

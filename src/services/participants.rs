//! The sessions that take part, and the tasks to wake.

use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::call::{CallId, CallOutcome};
use super::participant::Participant;
use crate::sync::AtomicWaker;
use crate::wire::SessionId;

/// The server's number among the sessions, which count from 1.
pub(super) const SERVER: SessionId = SessionId(0);

/// The tasks of sessions that have something to take.
pub type Wakes = SmallVec<[Arc<AtomicWaker>; 2]>;

/// All sessions that take part.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Participants {
    by_session: BTreeMap<SessionId, Participant>,
}

impl Participants {
    pub(super) fn add(&mut self, session: SessionId, user: Arc<str>, waker: Arc<AtomicWaker>) {
        let participant = Participant::new(user, waker);
        self.by_session.insert(session, participant);
    }

    pub(super) fn remove(&mut self, session: SessionId) {
        self.by_session.remove(&session);
    }

    pub(super) fn find(&self, session: SessionId) -> Option<&Participant> {
        self.by_session.get(&session)
    }

    /// Returns a session that takes part.
    ///
    /// # Panics
    /// The session does not take part.
    pub(super) fn get(&mut self, session: SessionId) -> &mut Participant {
        let participant = self.by_session.get_mut(&session);
        participant.expect("a session is removed only after its offers and its calls")
    }

    /// Whether no session takes part.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_session.is_empty()
    }

    /// Returns the services that a session offers.
    pub(super) fn offers(&self, session: SessionId) -> Vec<Arc<str>> {
        let participant = self.find(session).into_iter();
        participant
            .flat_map(|participant| participant.offers().iter().cloned())
            .collect()
    }

    /// Gives a session a call to answer. Returns whether it keeps up no longer.
    pub(super) fn give(
        &mut self,
        session: SessionId,
        call: CallId,
        bytes: usize,
        wakes: &mut Wakes,
    ) -> bool {
        let participant = self.get(session);
        let kept_up = participant.keeps_up();
        participant.give(call, bytes);
        wakes.push(Arc::clone(participant.waker()));
        kept_up && !participant.keeps_up()
    }

    /// Tells a caller how its call has ended.
    pub(super) fn tell_outcome(
        &mut self,
        caller: SessionId,
        call: CallId,
        outcome: CallOutcome,
        wakes: &mut Wakes,
    ) {
        let participant = self.get(caller);
        participant.tell_outcome(call, outcome);
        wakes.push(Arc::clone(participant.waker()));
    }

    /// Tells a session that it holds a call no longer, which it has taken.
    pub(super) fn tell_cancelled(&mut self, session: SessionId, call: CallId, wakes: &mut Wakes) {
        let participant = self.get(session);
        participant.tell_cancelled(call);
        wakes.push(Arc::clone(participant.waker()));
    }

    /// Tells a session that an offer is withdrawn.
    pub(super) fn tell_withdrawn(
        &mut self,
        session: SessionId,
        service: &Arc<str>,
        id: Option<u64>,
        wakes: &mut Wakes,
    ) {
        let participant = self.get(session);
        participant.tell_withdrawn(Arc::clone(service), id);
        wakes.push(Arc::clone(participant.waker()));
    }
}

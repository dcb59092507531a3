//! One cursor: its position, and the session that has it.
//!
//! A session moves its cursor without a message to the hub, so that an ack costs one lock. The lock
//! also decides the order of an ack and of a second login with the same cursor: an ack that was read
//! before counts, a later one has no effect.

use std::fmt;
use std::sync::Arc;

use crate::sync::{AtomicWaker, Mutex};
use crate::wire::{Seq, SessionId, Term};

/// How far a cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// In the current stream.
    Here {
        /// The highest seq that was acknowledged.
        seq: Seq,
        /// The term in which it was.
        term: Term,
    },
    /// In an older stream.
    OtherStream,
}

impl Position {
    /// Returns the seq in the current stream.
    pub(super) fn seq(self) -> Option<Seq> {
        match self {
            Position::Here { seq, .. } => Some(seq),
            Position::OtherStream => None,
        }
    }
}

/// A cursor, shared by the hub and the session that has it.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) account: Arc<str>,
    pub(super) name: Arc<str>,
    /// The current term of the stream.
    term: Term,
    /// `None` without a journal.
    unstored: Option<Arc<Unstored>>,
    state: Mutex<SlotState>,
}

#[derive(Debug)]
struct SlotState {
    position: Position,
    holder: Option<Holder>,
    /// The seq behind which the holder's broadcasts began.
    begin: Seq,
    /// Whether it is among the unstored ones.
    is_queued: bool,
    /// Whether its position is being written.
    is_in_flight: bool,
    is_removed: bool,
}

/// The session that has a cursor.
struct Holder {
    session: SessionId,
    on_superseded: OnSuperseded,
}

/// Called when another session has taken the cursor.
pub type OnSuperseded = Box<dyn FnOnce() + Send>;

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.session.fmt(f)
    }
}

/// The cursors whose positions are not stored yet.
#[derive(Debug, Default)]
pub(super) struct Unstored {
    slots: Mutex<Vec<Arc<Slot>>>,
    /// Wakes the hub when the first one is added.
    hub: AtomicWaker,
}

impl Unstored {
    fn push(&self, slot: Arc<Slot>) {
        let mut slots = self.slots.lock();
        slots.push(slot);
        if slots.len() == 1 {
            self.hub.wake();
        }
    }

    /// Returns whether there are any; if not, the task is woken when there are.
    pub(super) fn poll(&self, waker: &std::task::Waker) -> bool {
        self.hub.register(waker);
        !self.slots.lock().is_empty()
    }

    pub(super) fn take(&self) -> Vec<Arc<Slot>> {
        std::mem::take(&mut self.slots.lock())
    }
}

impl Slot {
    pub(super) fn new(
        (account, name): (Arc<str>, Arc<str>),
        position: Position,
        term: Term,
        unstored: Option<Arc<Unstored>>,
    ) -> Arc<Slot> {
        Arc::new(Slot {
            account,
            name,
            term,
            unstored,
            state: Mutex::new(SlotState {
                position,
                holder: None,
                begin: Seq::ZERO,
                is_queued: false,
                is_in_flight: false,
                is_removed: false,
            }),
        })
    }

    pub(super) fn position(&self) -> Position {
        self.state.lock().position
    }

    /// Returns the session that has the cursor.
    pub(super) fn session(&self) -> Option<SessionId> {
        let state = self.state.lock();
        state.holder.as_ref().map(|holder| holder.session)
    }

    /// Gives the cursor to a session. `begin` returns from the position where the session begins,
    /// and the position from then on. Returns the begin.
    pub(super) fn take_over<T>(
        self: &Arc<Self>,
        session: SessionId,
        on_superseded: OnSuperseded,
        begin: impl FnOnce(Position) -> (Seq, Position, T),
    ) -> (CursorLease, Seq, T) {
        let mut state = self.state.lock();
        let (begin, position, output) = begin(state.position);
        let has_moved = position != state.position;
        (state.begin, state.position) = (begin, position);
        let holder = Holder {
            session,
            on_superseded,
        };
        let superseded = state.holder.replace(holder);
        drop(state);
        if has_moved {
            self.queue();
        }
        if let Some(superseded) = superseded {
            (superseded.on_superseded)();
        }
        let slot = Arc::clone(self);
        (CursorLease { slot, session }, begin, output)
    }

    fn ack(self: &Arc<Self>, session: SessionId, seq: Seq) {
        let mut state = self.state.lock();
        let is_holder = state.holder.as_ref().map(|holder| holder.session) == Some(session);
        let has_moved = match state.position {
            Position::Here { seq: before, .. } => seq > before,
            Position::OtherStream => seq >= state.begin,
        };
        if state.is_removed || !is_holder || !has_moved {
            return;
        }
        let term = self.term;
        state.position = Position::Here { seq, term };
        drop(state);
        self.queue();
    }

    /// Has the position stored with the next batch.
    pub(super) fn queue(self: &Arc<Self>) {
        let Some(unstored) = &self.unstored else {
            return;
        };
        if !std::mem::replace(&mut self.state.lock().is_queued, true) {
            unstored.push(Arc::clone(self));
        }
    }

    /// Begins to store the position; `None` if the cursor was removed.
    pub(super) fn begin_storing(&self) -> Option<Position> {
        let mut state = self.state.lock();
        state.is_queued = false;
        state.is_in_flight = !state.is_removed;
        (!state.is_removed).then_some(state.position)
    }

    /// Notes that the position is no longer being stored.
    pub(super) fn end_storing(&self) {
        self.state.lock().is_in_flight = false;
    }

    /// Whether the position is not on disk yet.
    pub(super) fn is_unstored(&self) -> bool {
        let state = self.state.lock();
        state.is_queued || state.is_in_flight
    }

    /// Notes that the cursor was removed: it moves no more, and is not stored again.
    pub(super) fn remove(&self) {
        self.state.lock().is_removed = true;
    }
}

/// A session's hold of its cursor, until it is dropped or superseded.
#[derive(Debug)]
pub struct CursorLease {
    slot: Arc<Slot>,
    session: SessionId,
}

impl CursorLease {
    /// Moves the cursor to this seq. Has no effect behind an earlier ack, and once the lease is
    /// superseded.
    pub fn ack(&self, seq: Seq) {
        self.slot.ack(self.session, seq);
    }

    /// Whether another session has the cursor.
    pub fn is_superseded(&self) -> bool {
        self.slot.session() != Some(self.session)
    }
}

impl Drop for CursorLease {
    fn drop(&mut self) {
        let mut state = self.slot.state.lock();
        let is_holder = state.holder.as_ref().map(|holder| holder.session) == Some(self.session);
        if is_holder {
            state.holder = None;
        }
    }
}

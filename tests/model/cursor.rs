//! The cursor of a setting, a read position that the server remembers, as in
//! `src/actors/hub/cursors`. All sessions that ask for a cursor ask for this one.

use crate::broken::Broken;
use crate::setting::Setting;
use crate::state::SlotId;

/// The cursor, in the hub's memory and on disk.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Cursor {
    /// The highest seq that was acknowledged; `None` while the cursor is not known.
    pub position: Option<u64>,
    /// The position on disk.
    pub stored: Option<u64>,
    /// The position in the batch that is being written.
    in_flight: Option<u64>,
    /// Whether the position is to be written with the next batch.
    pub is_queued: bool,
    /// The session that has the cursor.
    pub holder: Option<SlotId>,
    /// The position that the store writes before it closes.
    last_write: Option<u64>,
    /// The highest seq that a session with the cursor began at, or has acknowledged. Only the
    /// properties read this field and the field after it.
    pub due: u64,
    /// Whether a session was told that it has the cursor before its begin was on disk.
    pub was_told_early: bool,
}

/// A cursor as a login gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// The seq behind which the session begins.
    pub begin: u64,
    pub is_new: bool,
    /// The session that had the cursor.
    pub superseded: Option<SlotId>,
    /// Whether the login is answered only after the next commit.
    pub must_wait: bool,
}

impl Cursor {
    /// Returns the cursor in the first state: of the client that has it, at the log's begin.
    pub fn of_first_state(setting: &Setting) -> Cursor {
        let holder = setting.clients.iter().position(|client| client.has_cursor);
        let begin = holder.map(|_| 0);
        Cursor {
            position: begin,
            stored: begin,
            holder,
            ..Cursor::default()
        }
    }

    /// Gives the cursor to a session. A new cursor begins at the head.
    pub fn open(&mut self, at: SlotId, head: u64, setting: &Setting) -> Opened {
        let is_new = self.position.is_none();
        let begin = *self.position.get_or_insert(head);
        self.is_queued |= is_new;
        self.due = self.due.max(begin);
        let superseded = self.holder.replace(at);
        let is_unstored = self.is_queued || self.in_flight.is_some();
        Opened {
            begin,
            is_new,
            superseded,
            must_wait: is_unstored && !setting.is(Broken::CursorUnawaited),
        }
    }

    /// Moves the cursor, if the session has it.
    pub fn ack(&mut self, at: SlotId, seq: u64, setting: &Setting) {
        let is_holder = self.holder == Some(at);
        if is_holder {
            self.due = self.due.max(seq);
        }
        let moves = is_holder || setting.is(Broken::SupersededAcks);
        if moves && self.position.is_some_and(|position| seq > position) {
            self.position = Some(seq);
            self.is_queued = true;
        }
    }

    /// Notes that a session has ended.
    pub fn release(&mut self, at: SlotId) {
        if self.holder == Some(at) {
            self.holder = None;
        }
    }

    /// Begins to write the position, if it is queued.
    pub fn begin_batch(&mut self) {
        if std::mem::take(&mut self.is_queued) {
            self.in_flight = self.position;
        }
    }

    /// Notes that the batch in flight is committed.
    pub fn commit(&mut self) {
        if let Some(position) = self.in_flight.take() {
            self.stored = Some(position);
        }
    }

    /// Notes that the batch in flight has failed. A new cursor is forgotten, as its login fails.
    pub fn fail(&mut self, setting: &Setting) {
        let was_in_flight = self.in_flight.take().is_some();
        if self.stored.is_none() {
            (self.position, self.holder, self.is_queued) = (None, None, false);
        } else {
            self.is_queued |= was_in_flight && !setting.is(Broken::FailedAcksForgotten);
        }
    }

    /// Has the store write the position before it closes.
    pub fn write_last(&mut self, setting: &Setting) {
        let is_unstored = self.is_queued || self.in_flight.is_some();
        if is_unstored && !setting.is(Broken::AcksLeftAtStop) {
            self.last_write = self.position;
        }
    }

    /// Closes the store.
    pub fn close(&mut self) {
        if let Some(position) = self.last_write.take() {
            self.stored = Some(position);
        }
    }

    /// Notes that a login was told that it has the cursor.
    pub fn note_told(&mut self, begin: u64) {
        self.was_told_early |= self.stored.is_none_or(|stored| stored < begin);
    }

    /// Returns the cursor as a new process finds it on disk.
    pub fn after_kill(&self) -> Cursor {
        Cursor {
            position: self.stored,
            stored: self.stored,
            due: self.due,
            was_told_early: self.was_told_early,
            ..Cursor::default()
        }
    }
}

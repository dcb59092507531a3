//! Connections that this side fails, panics, and clients that go.
//!
//! Where the system does not take bytes, or does not give them, the session ends with
//! `internal`. Its client did nothing wrong, so that it is owed what it would have got: in a
//! stop what all others get, before one what was broadcast by then. The report lists the
//! session, also where it ended before the stop.

use super::Core;
use super::effects::Effects;
use super::state::{Member, State};
use crate::close::CloseReason;
use crate::wire::ErrorCode;

impl Core {
    /// Notes the end of the input: the client has closed its side, or is gone.
    pub fn hang_up(&mut self) {
        self.input.is_over = true;
    }

    /// Notes that reading failed on this side. The client did not end the session, so it is
    /// told, as long as writing works. A session that is ending still gets what it is owed.
    pub fn input_failed<E: Effects>(&mut self, fx: &mut E) {
        self.input.is_over = true;
        self.input.is_unreadable = true;
        let is_stopping = fx.stop_time().is_some();
        match &mut self.state {
            State::Closed(_) => {}
            State::Ending(ending) => ending.fail(is_stopping),
            _ => self.fail(
                ErrorCode::Internal,
                "the server's system failed to read from this connection: connect again",
                fx,
            ),
        }
    }

    /// Ends a session whose input is over and served. `holds_frame`: a whole frame still waits
    /// to be served. Returns whether it ended.
    pub fn end_of_input<E: Effects>(&mut self, holds_frame: bool, fx: &mut E) -> bool {
        if self.is_outbound() {
            return self.check_presence(fx);
        }
        if holds_frame {
            return false;
        }
        self.end_calls_of_closed_input(fx);
        if !self.is_left_open() {
            return false;
        }
        self.end(CloseReason::Disconnected, fx);
        true
    }

    /// Ends an outbound session whose client has gone altogether. One that has closed its own
    /// side may go on reading (`nc -N`). An ending finds out by its writes.
    fn check_presence<E: Effects>(&mut self, fx: &mut E) -> bool {
        if !self.input.is_over || !self.state.is_ready() {
            return false;
        }
        let output = fx.output();
        let reason = if output.is_broken {
            CloseReason::Lost
        } else if !fx.is_hung_up() {
            return false;
        } else if output.is_clear {
            CloseReason::Disconnected
        } else {
            CloseReason::Lost
        };
        self.close_for(reason, fx);
        true
    }

    /// Ends the session where nothing more can be written for reasons of this side. It was
    /// owed all that was broadcast by now; in a stop, what all others get.
    pub(super) fn fail_unwritable<E: Effects>(&mut self, fx: &mut E) {
        let is_stopping = fx.stop_time().is_some();
        match &mut self.state {
            State::Ending(ending) => ending.fail(is_stopping),
            State::Greeting | State::Ready(_) => {
                self.end(CloseReason::Error(ErrorCode::Internal), fx);
            }
            State::LoggingIn { .. } | State::Closed(_) => {} // a login comes to its end first
        }
    }

    /// Ends the session after a panic in its handler or in the session itself. Work that was
    /// under way is forgotten.
    pub fn panicked<E: Effects>(&mut self, fx: &mut E) {
        self.work.clear();
        self.run = None;
        if self.state.has_said_closing() {
            self.close_for(CloseReason::Error(ErrorCode::Internal), fx);
        } else {
            self.fail(
                ErrorCode::Internal,
                "the server failed while it served this session",
                fx,
            );
        }
    }

    /// Whether the system failed the connection.
    pub fn has_failed<E: Effects>(&self, fx: &E) -> bool {
        self.input.is_unreadable || fx.output().has_failed
    }

    /// Whether the session waits for the client to close, as its input cannot be read: closing
    /// first would take back what the client has not read yet.
    pub(super) fn lingers_unread<E: Effects>(&self, fx: &E) -> bool {
        self.input.is_unreadable && !fx.is_hung_up()
    }

    /// Whether the session waits for the server and is not read from, so that it would not see
    /// its client's end: in a login that waits for its hash, and where frames come too fast to
    /// be told so.
    pub(super) fn is_left_waiting(&self) -> bool {
        match &self.state {
            State::LoggingIn { is_abandoned } => !is_abandoned,
            State::Greeting | State::Ready(Member::Nameless) => self.timers.is_held(),
            State::Ready(Member::User(_)) => self.input.is_over && self.awaits_services(),
            _ => false,
        }
    }

    /// Notes that the client has gone while the session waited for the server.
    pub(super) fn note_gone<E: Effects>(&mut self, fx: &mut E) {
        match &mut self.state {
            // The hub may know of the login already, so that it comes to its end.
            State::LoggingIn { is_abandoned } => {
                *is_abandoned = true;
                fx.abandon_login();
            }
            _ => self.close_for(CloseReason::Lost, fx),
        }
    }
}

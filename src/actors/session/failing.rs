//! Connections that this side fails: the system does not take bytes, or does not give them.
//!
//! Such a session ends with `internal`. Its client did nothing wrong, so that it is owed what
//! it would have got: in a stop what all others get, before one what was broadcast by then.
//! The report lists it, also where it ended before the stop.

use std::io;

use super::Session;
use super::outlet::FAILED;
use super::state::State;
use crate::actors::link::Link;
use crate::close::CloseReason;
use crate::framing::Failure;
use crate::wire::ErrorCode;

impl<L: Link + 'static> Session<L> {
    /// Notes that reading failed on this side. The client did not end the session, so it is
    /// told, as long as writing works.
    pub(super) fn note_unreadable(&mut self, error: &io::Error) {
        self.inbox.is_over = true;
        if self.outlet.link_ref().failure_of(error) == Failure::PeerGone {
            tracing::debug!(session = %self.info.id, %error, "reading failed");
            self.outlet.give_up(Failure::PeerGone);
            return;
        }
        tracing::warn!(session = %self.info.id, direction = "read", %error, "{FAILED}");
        self.inbox.is_unreadable = true;
        self.fail_unreadable();
    }

    /// Its input cannot be read any more, for reasons of this side. Where it is ending it
    /// still gets what it is owed.
    fn fail_unreadable(&mut self) {
        let is_stopping = self.listener.stopwatch.now().is_some();
        match &mut self.state {
            State::Closed { .. } => {}
            State::Ending(ending) => ending.fail(is_stopping),
            _ => self.fail(
                ErrorCode::Internal,
                "the server's system failed to read from this connection: connect again",
            ),
        }
    }

    /// Whether the system failed its connection.
    pub(super) fn has_failed(&self) -> bool {
        self.inbox.is_unreadable || self.outlet.has_failed_on_own_side()
    }

    /// Whether it waits for the client to close, as its input cannot be read: closing first
    /// would take back what the client has not read yet.
    pub(super) fn lingers_unread(&self) -> bool {
        self.inbox.is_unreadable && !self.outlet.link_ref().is_hung_up()
    }

    /// Ends the session where nothing more can be written for reasons of this side. It was
    /// owed all that was broadcast by now; in a stop, what all others get.
    pub(super) fn fail_unwritable(&mut self) {
        let is_stopping = self.listener.stopwatch.now().is_some();
        match &mut self.state {
            State::Ending(ending) => ending.fail(is_stopping),
            State::Greeting | State::Ready(_) => {
                self.end(CloseReason::Error(ErrorCode::Internal));
            }
            State::LoggingIn | State::Closed { .. } => {} // a login comes to its end first
        }
    }
}

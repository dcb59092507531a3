//! Sessions that only speak: `direction=outbound` of the raw dialect.
//!
//! What such a client sends is nobody's business. It is read all the same, as its
//! end is: a reader that has closed its own side may go on reading (`nc -N`), and
//! one that has gone must free its place.

use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use actix::{AsyncContext, Context};

use super::Session;
use super::state::State;
use crate::actors::link::Link;
use crate::close::CloseReason;
use crate::framing::{MessageTooLong, Received};

/// How often to look whether a reader that has closed one side is gone: no event
/// tells it.
const LOOK: Duration = Duration::from_millis(250);

impl<L: Link + 'static> Session<L> {
    /// Reads what there is, and forgets it.
    pub(super) fn poll_ignored(
        &mut self,
        scratch: &mut [u8],
        ctx: &mut Context<Self>,
        cx: &mut TaskContext<'_>,
    ) -> bool {
        if self.inbox.is_over || self.state.is_closed() {
            return self.note_hang_up(ctx);
        }
        match self.outlet.link().poll_receive(cx, scratch) {
            Poll::Pending => {
                self.wakes.read = true;
                return false;
            }
            Poll::Ready(Ok(Received::Bytes(_) | Received::Message(_))) => {}
            Poll::Ready(Ok(Received::End)) => self.inbox.is_over = true,
            Poll::Ready(Err(error)) if MessageTooLong::of(&error).is_some() => {}
            Poll::Ready(Err(error)) => self.note_unreadable(&error),
        }
        true
    }

    /// Once the client has closed its side: whether it has gone altogether. An ending
    /// finds out by what it writes.
    fn note_hang_up(&mut self, ctx: &mut Context<Self>) -> bool {
        if !matches!(self.state, State::Ready(_)) {
            return false;
        }
        if self.outlet.is_broken() {
            self.close(CloseReason::Lost);
            return true;
        }
        if self.outlet.link_ref().is_hung_up() {
            let reason = match self.outlet.is_clear() {
                true => CloseReason::Disconnected,
                false => CloseReason::Lost,
            };
            self.close(reason);
            return true;
        }
        if !self.inbox.looks_again {
            self.inbox.looks_again = true;
            ctx.run_later(LOOK, |session, _| {
                session.inbox.looks_again = false;
                session.wake();
            });
        }
        false
    }
}

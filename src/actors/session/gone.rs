//! Clients that go while nobody reads what they sent.
//!
//! A session that is not read from does not see its client's end. Where that may last, in a
//! login that waits for its hash and where requests come too fast to be told so, it looks.
//! A link that cannot close one side does not tell it, and is not asked.

use std::time::Duration;

use actix::{AsyncContext, Context};

use super::Session;
use super::state::{Member, State};
use crate::actors::link::Link;
use crate::close::CloseReason;

/// How often to look: no event tells it.
const LOOK: Duration = Duration::from_millis(250);

impl<L: Link + 'static> Session<L> {
    /// Looks now and then whether the client has gone.
    pub(super) fn look_whether_gone(&mut self, ctx: &mut Context<Self>) {
        let tells = self.outlet.link_ref().half_closes();
        if self.inbox.looks_again || !tells || !self.is_left_waiting() {
            return;
        }
        self.inbox.looks_again = true;
        ctx.run_later(LOOK, |session, ctx| {
            session.inbox.looks_again = false;
            if session.is_left_waiting() && session.outlet.link_ref().is_hung_up() {
                session.note_gone();
                session.wake();
            }
            session.look_whether_gone(ctx);
        });
    }

    fn is_left_waiting(&self) -> bool {
        match &self.state {
            State::LoggingIn => self.asker.is_some(),
            State::Greeting | State::Ready(Member::Nameless) => self.inbox.hold.is_some(),
            _ => false,
        }
    }

    fn note_gone(&mut self) {
        match &self.state {
            // The hub may know of it already: it is taken to its end, but not hashed for.
            State::LoggingIn => self.asker = None,
            _ => self.close(CloseReason::Lost),
        }
    }
}

//! Waits, after `closing` is written, until the client has read it.
//!
//! The system reports no event for that, so the session asks at growing intervals.

use std::time::Duration;

use actix::{AsyncContext, Context};

use super::Session;
use crate::actors::link::Link;
use crate::framing::Failure;

/// How long to wait before asking again whether the client has read everything:
/// no event tells it.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_millis(50);

impl<L: Link + 'static> Session<L> {
    /// Reports the session as done once `closing`, which is written, is read as well.
    pub(super) fn look_for_evidence(&mut self, ctx: &mut Context<Self>) -> bool {
        if self.is_settled() || self.inbox.is_unreadable {
            return self.tell_done();
        }
        self.wait_to_be_read(ctx)
    }

    /// Looks again later; a client that has gone will read nothing more.
    pub(super) fn wait_to_be_read(&mut self, ctx: &mut Context<Self>) -> bool {
        if self.inbox.is_over && self.outlet.link_ref().is_hung_up() {
            self.outlet.give_up(Failure::PeerGone);
            return true;
        }
        self.look_again(ctx);
        false
    }

    /// Asks again after a wait, which doubles: no event tells that the client has read.
    pub(super) fn look_again(&mut self, ctx: &mut Context<Self>) {
        // Where the client's own end is waited for, that wakes the session.
        let is_told = self.waiting.is_none()
            && self.outlet.link_ref().half_closes()
            && !self.inbox.is_unreadable;
        if is_told || self.looking {
            return;
        }
        let Some(ending) = self.ending() else { return };
        let wait = ending
            .look
            .map_or(FIRST_LOOK, |last| (last * 2).min(LAST_LOOK));
        ending.look = Some(wait);
        self.looking = true;
        ctx.run_later(wait, |session, _| {
            session.looking = false;
            session.wake();
        });
    }
}

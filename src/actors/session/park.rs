//! Arranges the wake-up of a session that has nothing to do now.
//!
//! A pump that makes no progress ends here, and nowhere else: whatever path held the input
//! back, its timer is set in this one place. Everything else that a session waits for tells
//! its own waker when it is asked; [`Wakes`] notes that it was asked, and debug builds and
//! the fuzz targets fail where a session waits for something that will not call it.

use std::time::{Duration, Instant};

use actix::{AsyncContext, Context};

use super::Session;
use super::state::State;
use crate::actors::link::Link;

/// The first frame of the input is not served before this moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hold {
    until: Instant,
}

impl Hold {
    /// Holds the input back for so long, from now.
    pub(super) fn for_the_next(wait: Duration) -> Hold {
        Hold {
            until: Instant::now() + wait,
        }
    }
}

/// The wake-ups that have been arranged for the session since the pump began.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wakes {
    /// The link, once there is something to receive.
    pub(super) read: bool,
    /// The link, once it takes more.
    pub(super) write: bool,
    /// The oldest piece of work, once it is done.
    pub(super) work: bool,
}

/// The timer that ends a hold.
#[derive(Debug, Default)]
pub(super) struct HoldTimer {
    set_for: Option<Instant>,
}

impl<L: Link + 'static> Session<L> {
    /// Leaves the session to whatever will call it again.
    pub(super) fn park(&mut self, ctx: &mut Context<Self>) {
        if let Some(Hold { until }) = self.inbox.hold {
            self.set_hold_timer(until, ctx);
        }
        self.look_whether_gone(ctx);
        self.outlet.release_memory();
        debug_assert!(
            self.is_called_again(),
            "session {} is parked for ever: {:?} {:?} {:?}",
            self.info.id,
            self.state,
            self.inbox,
            self.wakes
        );
    }

    fn set_hold_timer(&mut self, until: Instant, ctx: &mut Context<Self>) {
        let timer = &mut self.inbox.hold_timer.set_for;
        if timer.is_some_and(|set_for| set_for <= until) {
            return;
        }
        *timer = Some(until);
        let wait = until.saturating_duration_since(Instant::now());
        ctx.run_later(wait, move |session, _| {
            let inbox = &mut session.inbox;
            inbox.hold_timer.set_for = inbox.hold_timer.set_for.filter(|set_for| *set_for != until);
            inbox.hold = inbox.hold.filter(|hold| hold.until > until);
            session.wake();
        });
    }

    /// Whether everything that the session waits for will call it.
    fn is_called_again(&self) -> bool {
        let is_open = matches!(self.state, State::Greeting | State::Ready(_));
        let wakes = self.wakes;
        if self.state.is_closed() {
            return true; // it waits for nothing but its orders
        }
        if self.pending.is_some() && !wakes.work {
            return false;
        }
        if self.outlet.has_unwritten() && !wakes.write {
            return false;
        }
        if self.listener.dialect.is_outbound() {
            return !is_open || wakes.read || self.inbox.looks_again;
        }
        let is_idle = self.may_serve() && self.inbox.hold.is_none();
        match self.inbox.is_over {
            true => !(is_idle && is_open), // it should have ended
            false => !is_idle || wakes.read,
        }
    }
}

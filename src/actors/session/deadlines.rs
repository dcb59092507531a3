//! Deadlines for what the client must send: its login, a frame now and then, its own end.
//!
//! A timer never judges. It marks the session as due and wakes the pump, which reads all the
//! input there is, and only then decides ([`InputDeadline`]).
//!
//! Invariant: while a deadline is held, a timer for it runs or the session is due.

use std::time::{Duration, Instant};

use actix::{AsyncContext, Context, SpawnHandle};

use super::Session;
use super::state::State;
use crate::actors::link::Link;
use crate::deadline::{InputDeadline, Verdict};
use crate::wire::ErrorCode;

/// How often to look whether a login in work has been concluded.
const LOOK: Duration = Duration::from_millis(250);

/// A session's deadline; it has one at a time.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    waits_for: Option<(WaitsFor, InputDeadline)>,
    timer: Option<SpawnHandle>,
    is_due: bool,
}

/// The event that a session waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WaitsFor {
    Login,
    Frame,
    /// That the client reads to the end and closes.
    End {
        /// Whether it also holds while the supervisor leads the ending.
        holds_if_ordered: bool,
    },
}

impl Deadlines {
    /// Begins the time for a frame again: one has come or been served, or the client has taken
    /// some of the answers that keep its next frames from being read.
    pub(super) fn note_input(&mut self) {
        if let Some((WaitsFor::Frame, deadline)) = &mut self.waits_for {
            deadline.restart(Instant::now());
        }
    }

    /// Has the pump judge, once it has read, a login deadline that passed while a login was in
    /// work.
    pub(super) fn look_at_login(&mut self) {
        if let Some((WaitsFor::Login, deadline)) = &self.waits_for {
            self.is_due |= deadline.left(Instant::now()).is_zero();
        }
    }
}

impl<L: Link + 'static> Session<L> {
    /// Begins to wait for the login, or for frames where nobody has to log in.
    pub(super) fn begin_deadlines(&mut self, ctx: &mut Context<Self>) {
        match &self.state {
            State::Greeting => {
                let limit = self.listener.limits.login_timeout;
                self.wait_for(WaitsFor::Login, limit, ctx);
            }
            State::Ready(_) => self.wait_for_frames(ctx),
            _ => {}
        }
    }

    /// Waits for frames once the login is done. A member's login timer would be polled each
    /// time that the pump is.
    pub(super) fn note_login(&mut self, ctx: &mut Context<Self>) {
        let waited = matches!(self.deadlines.waits_for, Some((WaitsFor::Login, _)));
        if waited && matches!(self.state, State::Ready(_)) {
            self.stop_deadline(ctx);
            self.wait_for_frames(ctx);
        }
    }

    fn wait_for_frames(&mut self, ctx: &mut Context<Self>) {
        if let Some(idle) = self.listener.limits.idle_timeout
            && !self.listener.dialect.is_outbound()
        {
            self.wait_for(WaitsFor::Frame, idle, ctx);
        }
    }

    /// Waits until the client has read to the end and closed, no longer than `limit`.
    pub(super) fn wait_for_end(
        &mut self,
        limit: Duration,
        holds_if_ordered: bool,
        ctx: &mut Context<Self>,
    ) {
        self.wait_for(WaitsFor::End { holds_if_ordered }, limit, ctx);
    }

    fn wait_for(&mut self, what: WaitsFor, limit: Duration, ctx: &mut Context<Self>) {
        self.stop_deadline(ctx);
        let deadline = InputDeadline::new(limit, Instant::now());
        self.deadlines.waits_for = Some((what, deadline));
        self.arm(limit, ctx);
    }

    fn stop_deadline(&mut self, ctx: &mut Context<Self>) {
        if let Some(timer) = self.deadlines.timer.take() {
            ctx.cancel_future(timer);
        }
        self.deadlines.waits_for = None;
        self.deadlines.is_due = false;
    }

    fn arm(&mut self, wait: Duration, ctx: &mut Context<Self>) {
        if let Some(timer) = self.deadlines.timer.take() {
            ctx.cancel_future(timer);
        }
        let timer = ctx.run_later(wait, |session, _| {
            session.deadlines.timer = None;
            session.deadlines.is_due = true;
            session.wake();
        });
        self.deadlines.timer = Some(timer);
    }

    /// Judges the deadline whose timer has fired. The pump calls it behind its reading. Whether
    /// the session has something to say or to do for it.
    pub(super) fn judge_deadline(&mut self, ctx: &mut Context<Self>) -> bool {
        if !std::mem::take(&mut self.deadlines.is_due) {
            return false;
        }
        let Some((what, mut deadline)) = self.deadlines.waits_for else {
            return false;
        };
        if self.is_deaf_to(what) {
            // The session waits for the server, so it is not idle.
            deadline.restart(Instant::now());
            self.deadlines.waits_for = Some((what, deadline));
            self.arm(deadline.left(Instant::now()), ctx);
            return false;
        }
        if matches!(self.state, State::LoggingIn) {
            self.arm(LOOK, ctx);
            return false;
        }
        let is_unread =
            self.may_serve() && !self.inbox.is_over && self.outlet.link_ref().has_input();
        match deadline.judge(Instant::now(), is_unread) {
            Verdict::Wait(wait) => {
                self.deadlines.waits_for = Some((what, deadline));
                self.arm(wait, ctx);
                false
            }
            Verdict::Expired => {
                self.deadlines.waits_for = None;
                self.note_late(what)
            }
        }
    }

    /// Whether the session itself keeps the client's frames from being served.
    fn is_deaf_to(&self, what: WaitsFor) -> bool {
        let is_busy = self.pending.is_some() || self.inbox.hold.is_some();
        what == WaitsFor::Frame && is_busy
    }

    fn note_late(&mut self, what: WaitsFor) -> bool {
        match (what, &self.state) {
            (WaitsFor::Login, State::Greeting) => {
                self.fail(ErrorCode::LoginTimeout, "no login in time: connect again");
            }
            (WaitsFor::Frame, State::Ready(_)) => {
                let message = "no frame for too long: send a ping now and then";
                self.fail(ErrorCode::IdleTimeout, message);
            }
            (WaitsFor::End { holds_if_ordered }, State::Ending(ending))
                if holds_if_ordered || !ending.ordered =>
            {
                self.give_up_waiting();
            }
            _ => return false,
        }
        true
    }
}

//! Judging the time: what the client must send, and what the session must ask again.

use std::time::Instant;

use super::Core;
use super::effects::Effects;
use super::state::{State, Step};
use super::timers::WaitsFor;
use crate::wire::ErrorCode;

impl Core {
    /// Begins to wait for the login, or for frames where no client has to log in.
    pub(super) fn begin_deadlines(&mut self, now: Instant) {
        match &self.state {
            State::Greeting => {
                let limit = self.limits.login_timeout;
                self.timers.wait_for(WaitsFor::Login, limit, now);
            }
            State::Ready(_) => self.wait_for_frames(now),
            _ => {}
        }
    }

    /// Waits for frames; the login deadline, if there was one, is over.
    pub(super) fn wait_for_frames(&mut self, now: Instant) {
        match self.policy.idle_timeout(&self.limits) {
            Some(idle) => self.timers.wait_for(WaitsFor::Frame, idle, now),
            None => self.timers.stop_waiting(),
        }
    }

    /// Begins a pass over the input: the first frame may be tried again.
    pub fn begin_pass(&mut self) {
        self.timers.release();
    }

    /// Ends a pass over the input: the run of publishes is sent.
    pub fn end_pass<E: Effects>(&mut self, has_served: bool, now: Instant, fx: &mut E) {
        if has_served {
            self.timers.note_input(now);
        }
        self.end_run(fx);
    }

    /// Judges the time. The shell calls it when all the input that there is has been read and
    /// nothing else is to do. Returns whether the session has something to say or to do.
    pub fn tick<E: Effects>(&mut self, now: Instant, fx: &mut E) -> bool {
        let passed = self.timers.pass(now);
        let mut is_changed = passed.hold || passed.read_look;
        if passed.presence_look {
            is_changed |= self.look_whether_present(fx);
        }
        is_changed |= self.expire_calls(now, fx);
        is_changed |= self.end_lingering(now, fx);
        is_changed |= self.judge_deadline(now, fx);
        self.plan_presence_look(now, fx);
        is_changed
    }

    fn look_whether_present<E: Effects>(&mut self, fx: &mut E) -> bool {
        if self.is_outbound() {
            return self.check_presence_again();
        }
        let has_gone = self.is_left_waiting() && fx.is_hung_up();
        if has_gone {
            self.note_gone(fx);
        }
        has_gone
    }

    fn check_presence_again(&self) -> bool {
        self.input.is_over && self.state.is_ready()
    }

    /// Plans the next look whether the client is there, where the session would not see its
    /// end. A connection that cannot close one side does not tell it, and is not asked.
    fn plan_presence_look<E: Effects>(&mut self, now: Instant, fx: &E) {
        let is_needed = match self.is_outbound() {
            true => self.check_presence_again(),
            false => fx.half_closes() && self.is_left_waiting(),
        };
        if is_needed {
            self.timers.look_whether_present(now);
        }
    }

    /// Closes a session whose client has read all there was and does not close: nothing is
    /// lost by closing first. One that has not read yet is waited for.
    fn end_lingering<E: Effects>(&mut self, now: Instant, fx: &mut E) -> bool {
        let Some(ending) = self.state.ending_mut() else {
            return false;
        };
        if !ending.takes_linger_end(now) {
            return false;
        }
        let (reason, step) = (ending.reason(), ending.step());
        let is_read = self.input.is_unreadable || self.is_settled(fx);
        if step != Step::Lingering || !is_read {
            return false;
        }
        self.close_for(reason, fx);
        true
    }

    fn judge_deadline<E: Effects>(&mut self, now: Instant, fx: &mut E) -> bool {
        let Some(event) = self.timers.due(now) else {
            return false;
        };
        let is_busy = self.has_work() || self.has_calls() || self.timers.is_held();
        if event == WaitsFor::Frame && is_busy {
            self.timers.restart(now); // the session itself keeps the client's frames waiting
            return false;
        }
        if matches!(self.state, State::LoggingIn { .. }) {
            self.timers.judge_later(now);
            return false;
        }
        let is_unread = self.takes_frames(fx) && !self.input.is_over && fx.has_input();
        self.timers.judge(now, is_unread) && self.expire(event, fx)
    }

    fn expire<E: Effects>(&mut self, event: WaitsFor, fx: &mut E) -> bool {
        match (event, &self.state) {
            (WaitsFor::Login, State::Greeting) => {
                let message = "no login in time: connect again";
                self.fail(ErrorCode::LoginTimeout, message, fx);
            }
            (WaitsFor::Frame, State::Ready(_)) => {
                let message = "no frame for too long: send a ping now and then";
                self.fail(ErrorCode::IdleTimeout, message, fx);
            }
            (WaitsFor::End { holds_if_ordered }, State::Ending(ending))
                if holds_if_ordered || !ending.is_ordered() =>
            {
                self.give_up_waiting(fx);
            }
            _ => return false,
        }
        true
    }
}

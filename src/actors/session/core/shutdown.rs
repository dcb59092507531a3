//! The supervisor's orders in a shutdown: the cut, the drain, the close.

use std::time::{Duration, Instant};

use super::Core;
use super::effects::Effects;
use super::state::{Ending, State, Step};
use super::timers::WaitsFor;
use crate::actors::supervisor::Status;
use crate::close::CloseReason;
use crate::wire::{Seq, ServerFrame, Stopping};

/// How long a client that was never let in may take to read why: it holds a permit, or a
/// descriptor, that others wait for.
pub(super) const UNAUTHENTICATED_TIMEOUT: Duration = Duration::from_secs(1);

/// The state of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// It has been carried out.
    Out,
    /// It will be: [`Effects::carried_out`] tells when.
    Later,
}

impl Core {
    /// Makes the shutdown's cut: from here on frames are refused. A session that waits for the
    /// answer to its own `shutdown` is told by that.
    pub fn announce<E: Effects>(&mut self, status: Status, fx: &mut E) {
        if self.state.is_cut() {
            return;
        }
        if !fx.is_open() {
            // No frame of it was accepted, and nothing can be said to it.
            self.close_for(CloseReason::Lost, fx);
            return;
        }
        if let Some(status) = self.notice.get_or_insert_default().announce(status) {
            tell_stopping(fx, None, &status);
        }
        self.cut(Step::Refusing, fx);
    }

    /// Answers the session's own `shutdown`, which is its cut where none was made.
    pub(super) fn answer_shutdown<E: Effects>(&mut self, id: u64, status: Status, fx: &mut E) {
        let status = self.notice.get_or_insert_default().answer(status);
        tell_stopping(fx, Some(id), &status);
        if !self.state.is_cut() {
            self.cut(Step::Refusing, fx);
        }
    }

    fn cut<E: Effects>(&mut self, step: Step, fx: &E) {
        self.state.begin_ending(Ending::ordered(step));
        let now = fx.stop_time();
        self.tally.note_time(now, |times| &mut times.cut);
    }

    /// Drains the session: the broadcasts up to `cut`, `closing`, and the proof that the client
    /// has read it.
    pub fn drain<E: Effects>(&mut self, cut: Seq, now: Instant, fx: &mut E) -> Carried {
        self.end_services(fx);
        match &mut self.state {
            State::Closed(_) => return Carried::Out,
            State::Ending(ending) => ending.drain(cut),
            // The announcement never reached it; now is as good.
            _ => self.cut(Step::ToCut(cut), fx),
        }
        if !fx.output().follows && self.tally.is_untouched() {
            // It was promised nothing: no frame of it was admitted, no broadcast is its.
            let end = WaitsFor::End {
                holds_if_ordered: true,
            };
            self.timers.wait_for(end, UNAUTHENTICATED_TIMEOUT, now);
        }
        self.is_awaited = true;
        Carried::Later
    }

    /// Closes the session: the write side is shut, and the input is read to its end. A client
    /// that has read everything and does not close is waited for until `linger` has passed.
    pub fn close(&mut self, linger: Duration, now: Instant) -> Carried {
        let Some(ending) = self.state.ending_mut() else {
            return Carried::Out;
        };
        ending.close(now + linger);
        self.is_awaited = true;
        Carried::Later
    }

    /// Ends the session at once.
    pub fn finish<E: Effects>(&mut self, fx: &mut E) {
        self.close_for(CloseReason::Shutdown, fx);
    }

    /// Notes that the order given last has been carried out. Returns whether there was one.
    pub(super) fn tell_carried_out<E: Effects>(&mut self, fx: &mut E) -> bool {
        let was_awaited = std::mem::take(&mut self.is_awaited);
        if was_awaited {
            fx.carried_out();
        }
        was_awaited
    }
}

fn tell_stopping<E: Effects>(fx: &mut E, id: Option<u64>, status: &Status) {
    fx.answer(&ServerFrame::Stopping(Stopping {
        id,
        reason: status.reason.into(),
        phase: status.phase.into(),
        remaining: u64::try_from(status.remaining.as_millis()).unwrap_or(u64::MAX),
    }));
}

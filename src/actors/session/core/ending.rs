//! The way from the last frame to the close.
//!
//! `Refusing` (a shutdown's cut is made) -> `ToCut` (the broadcasts up to the cut) -> `Closing`
//! (`closing` is queued, then known to be read) -> `Lingering` (the write side is shut, the
//! input is read to its end) -> closed.
//!
//! A session that ends by itself takes all steps in one go, within `drain_timeout`. In a
//! shutdown the supervisor's orders open each step.

use std::time::{Duration, Instant};

use super::Core;
use super::effects::{Effects, Event, Output};
use super::rules::SessionRules;
use super::shutdown::UNAUTHENTICATED_TIMEOUT;
use super::state::{Ending, Member, State, Step};
use super::timers::{WaitsFor, next_read_look};
use crate::close::CloseReason;
use crate::wire::{Closing, ErrorCode, Gap, Seq, ServerFrame};

/// How long a refused client may take to read why, where there is no time: until it is written,
/// and no longer than this.
const BRIEF_TIMEOUT: Duration = Duration::from_millis(250);

/// The same for a user whose account grants nothing any more: with the time that it takes to
/// notice, the session is over within 5 s.
const REVOKED_TIMEOUT: Duration = Duration::from_secs(2);

/// The output that may be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// Nothing any more.
    Nothing,
    /// Answers, and the broadcasts up to this one, if there is a last one.
    UpTo(Option<Seq>),
}

impl Core {
    /// Ends the session for `reason`: broadcasts up to now are still written, then `closing`.
    pub(super) fn end<E: Effects>(&mut self, reason: CloseReason, fx: &mut E) {
        if self.services.is_some() {
            fx.retire_offers(); // calls in work are still answered
        }
        let ending = Ending::new(reason, Step::ToCut(fx.head()));
        self.begin_ending(ending, fx);
    }

    /// Ends the session with an error: nothing but `closing` follows it. Calls are answered before.
    pub(super) fn fail<E: Effects>(&mut self, code: ErrorCode, message: &str, fx: &mut E) {
        self.end_services(fx);
        fx.answer(&ServerFrame::error(None, code, message));
        let reason = match code {
            ErrorCode::Stopping => CloseReason::Shutdown,
            _ => CloseReason::Error(code),
        };
        let here = fx.output().reached;
        self.begin_ending(Ending::new(reason, Step::ToCut(here)), fx);
    }

    fn begin_ending<E: Effects>(&mut self, ending: Ending, fx: &E) {
        let is_stopping = fx.stop_time().is_some();
        self.state.begin_ending(ending.in_stop(is_stopping));
    }

    /// Returns what the output may send now.
    pub fn sending(&self) -> Sending {
        match &self.state {
            State::Closed(_) => Sending::Nothing,
            State::Greeting | State::LoggingIn { .. } | State::Ready(_) => Sending::UpTo(None),
            State::Ending(ending) => Sending::UpTo(match ending.step() {
                Step::Refusing => None,
                Step::ToCut(cut) => Some(cut),
                Step::Closing | Step::Lingering => Some(Seq::ZERO),
            }),
        }
    }

    /// Ends the session of a reader that has fallen off the log's tail, where that ends it.
    pub fn fell_off<E: Effects>(&mut self, gap: Gap, fx: &mut E) {
        let message = format!("broadcasts {} to {} are no longer held", gap.from, gap.to);
        self.fail(ErrorCode::SlowConsumer, &message, fx);
    }

    /// Ends the session of a reader whose next broadcasts cannot be read from the journal.
    pub fn journal_unreadable<E: Effects>(&mut self, fx: &mut E) {
        let message = "the server's journal cannot be read: resume from here later";
        self.fail(ErrorCode::Internal, message, fx);
    }

    /// Notes that the client has taken answers, so that there is room again for its frames.
    pub fn note_room(&mut self, now: Instant) {
        self.timers.note_input(now);
    }

    /// Notes that a broadcast has been written.
    pub fn note_broadcast<E: Effects>(&mut self, fx: &E) {
        let now = fx.stop_time();
        self.tally.note_time(now, |times| &mut times.last_broadcast);
    }

    /// Takes the next step of an ending, if it can be taken. `holds_frame`: a whole frame that
    /// was received waits to be served. Returns whether a step was taken.
    pub fn advance<E: Effects>(&mut self, holds_frame: bool, now: Instant, fx: &mut E) -> bool {
        let output = fx.output();
        if output.has_failed {
            self.fail_unwritable(fx);
        }
        let has_calls = self.finishes_calls(fx);
        if !has_calls {
            self.limit_ending(output, now);
        }
        let has_work = self.has_work();
        // Frames that were read behind the cut wait for room for their refusals: `closing`
        // comes behind those.
        let is_unanswered = has_calls
            || (has_work && fx.rules().awaits_work())
            || (self.state.refuses_frames() && holds_frame && !fx.has_room());
        let is_over = self.input.is_over;
        let Some(ending) = self.state.ending() else {
            return false;
        };
        let reason = ending.reason();
        match ending.step() {
            Step::Refusing if output.has_failed && !has_work => self.close_for(reason, fx),
            Step::Refusing if output.is_broken && is_over && !output.has_failed => {
                self.close_for(CloseReason::Lost, fx);
            }
            Step::Refusing => return false,
            Step::ToCut(_) if output.is_broken && !has_work => {
                self.close_for(lost_or(reason), fx);
            }
            Step::ToCut(cut) if is_unanswered || (output.follows && output.reached < cut) => {
                return false;
            }
            Step::ToCut(_) => self.say_closing(fx),
            Step::Closing if output.is_broken => self.close_for(lost_or(reason), fx),
            Step::Closing if !output.is_clear => return false,
            Step::Closing if ending.is_ordered() && !ending.may_linger() => {
                return self.look_for_evidence(now, fx);
            }
            Step::Closing => {
                self.set_step(Step::Lingering);
                fx.shut_output();
            }
            Step::Lingering if output.is_broken => self.close_for(lost_or(reason), fx),
            Step::Lingering => return self.linger(now, fx),
        }
        true
    }

    /// Waits, with the write side shut, until the session may close.
    fn linger<E: Effects>(&mut self, now: Instant, fx: &mut E) -> bool {
        let Some(ending) = self.state.ending() else {
            return false;
        };
        let reason = ending.reason();
        if self.lingers_unread(fx) {
            self.look_again(now, fx);
            return false;
        }
        // A client that has closed its sending side may still read. In a stop the session waits
        // for that, because the report says whether the client has read everything.
        let is_unsettled = fx.stop_time().is_some() && !fx.is_hung_up() && !self.is_settled(fx);
        let may_close_early = self.is_brief || (self.input.is_over && !is_unsettled);
        if may_close_early && !ending.is_ordered() {
            self.close_for(reason, fx);
            return true;
        }
        fx.shut_output();
        // The client may have closed one side only, and read on. Where neither side can be
        // closed alone, it sees the end when this side closes, and not before.
        let may_close = self.input.is_over || !fx.half_closes();
        if !self.is_settled(fx) {
            return self.wait_to_be_read(now, fx);
        }
        if !may_close {
            self.look_again(now, fx);
            return false;
        }
        self.close_for(reason, fx);
        true
    }

    fn set_step(&mut self, step: Step) {
        if let Some(ending) = self.state.ending_mut() {
            ending.advance_to(step);
        }
    }

    /// Gives an ending without orders its deadline.
    fn limit_ending(&mut self, output: Output, now: Instant) {
        let limit = self.limits.drain_timeout;
        let is_brief = self.is_brief;
        let Some(ending) = self.state.ending_mut() else {
            return;
        };
        if !ending.takes_deadline() {
            return;
        }
        let limit = match ending.reason() {
            _ if is_brief => BRIEF_TIMEOUT,
            CloseReason::Error(ErrorCode::Revoked) => limit.min(REVOKED_TIMEOUT),
            CloseReason::Error(_) if !output.follows => limit.min(UNAUTHENTICATED_TIMEOUT),
            _ => limit,
        };
        let end = WaitsFor::End {
            holds_if_ordered: false,
        };
        self.timers.wait_for(end, limit, now);
    }

    /// Ends the waiting for a client that does not read to the end.
    pub(super) fn give_up_waiting<E: Effects>(&mut self, fx: &mut E) {
        if let Some(ending) = self.state.ending() {
            let reason = ending.reason();
            fx.log(Event::NotReadInTime);
            self.close_for(reason, fx);
        }
    }

    fn say_closing<E: Effects>(&mut self, fx: &mut E) {
        let Some(ending) = self.state.ending_mut() else {
            return;
        };
        let member = ending.begin_closing();
        let (reason, is_ordered) = (ending.reason(), ending.is_ordered());
        fx.stop_following();
        fx.answer(&ServerFrame::Closing(Closing {
            reason: reason.into(),
            last_seq: fx.output().reached,
            // Frames that a panic left without an answer are told by the report.
            accepted: self.tally.answered(),
            refused: self.tally.refused(),
        }));
        let now = fx.stop_time();
        self.tally.note_time(now, |times| &mut times.closing);
        // The session gets no more broadcasts: for the others its user has left. A shutdown
        // announces no departure, as its log is sealed.
        if let Some(user) = member.as_ref().and_then(Member::user)
            && !is_ordered
        {
            fx.leave(user);
        }
    }

    /// Reports the order as carried out once `closing`, which is written, is read as well.
    fn look_for_evidence<E: Effects>(&mut self, now: Instant, fx: &mut E) -> bool {
        if self.is_settled(fx) || self.input.is_unreadable {
            return self.tell_carried_out(fx);
        }
        self.wait_to_be_read(now, fx)
    }

    /// Looks again later; a client that has gone will read nothing more.
    fn wait_to_be_read<E: Effects>(&mut self, now: Instant, fx: &mut E) -> bool {
        if self.input.is_over && fx.is_hung_up() {
            fx.abandon_output();
            return true;
        }
        self.look_again(now, fx);
        false
    }

    /// Asks again after a wait, which grows: no event tells that the client has read.
    fn look_again<E: Effects>(&mut self, now: Instant, fx: &E) {
        // Where the client's own end is waited for, that wakes the session.
        let is_told = !self.is_awaited && fx.half_closes() && !self.input.is_over;
        let Some(ending) = self.state.ending_mut() else {
            return;
        };
        if is_told {
            return;
        }
        let wait = next_read_look(ending.last_look());
        if self.timers.look_whether_read(now + wait) {
            ending.note_look(wait);
        }
    }

    /// Closes the session: nothing is read or written any more.
    pub(super) fn close_for<E: Effects>(&mut self, reason: CloseReason, fx: &mut E) {
        if self.is_closed() {
            return;
        }
        self.evidence = Some(self.evidence_now(fx));
        let now = fx.stop_time();
        self.tally.note_time(now, |times| &mut times.stopped);
        self.state.close(reason);
        fx.stop_following();
        self.leave_services(fx);
        self.work.clear();
        self.timers.stop_waiting();
        self.tell_carried_out(fx);
    }
}

/// Returns the reason of a session whose connection breaks at its end: it is lost, whatever it
/// ended for, but an error is told all the same.
fn lost_or(reason: CloseReason) -> CloseReason {
    match reason {
        CloseReason::Error(_) => reason,
        _ => CloseReason::Lost,
    }
}

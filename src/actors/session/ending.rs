//! The way from the last frame to the end.
//!
//! `Refusing` (a shutdown's cut is made) -> `ToCut` (the broadcasts up to the
//! cut) -> `Goodbye` (`closing` is queued, then known to be read) -> `Lingering`
//! (the write side is shut, the input is read to its end) -> closed.
//!
//! A session that ends by itself walks through in one go, within `drain_timeout`.
//! In a shutdown the supervisor's orders open each step.

use std::borrow::Cow;
use std::task::Context as TaskContext;
use std::time::Duration;

use actix::Context;

use super::Session;
use super::outlet::Written;
use super::state::{Member, Owed, State};
use crate::actors::link::Link;
use crate::close::CloseReason;
use crate::wire::{Closing, ErrorCode, Seq, ServerFrame, WireError};

/// How long a client that was never let in may take to hear why: it holds a place, or a
/// descriptor, that others wait for.
pub(super) const TOLD: Duration = Duration::from_secs(1);

/// The same for whom there is no time: until it is written, and no longer than this.
const BRIEFLY: Duration = Duration::from_millis(250);

/// The same for a user whose account grants nothing any more: with the time that it takes to
/// notice, the session is over within 5 s.
const REVOKED: Duration = Duration::from_secs(2);

/// Writes in a row, before the session looks at its input again.
const WRITES: usize = 4;

/// A session on its way out.
#[derive(Debug)]
pub(super) struct Ending {
    /// Who it is, until the hub knows that the session is over.
    pub(super) member: Option<Member>,
    pub(super) reason: CloseReason,
    pub(super) step: Step,
    /// Whether the server failed it while it stopped: it is owed what all others get.
    failed_in_stop: bool,
    /// Whether the supervisor leads.
    pub(super) ordered: bool,
    /// Whether the supervisor has given the word to close.
    pub(super) may_linger: bool,
    /// Whether a timer already watches over this ending.
    watched: bool,
    /// The last wait before asking whether the client has read everything.
    pub(super) look: Option<Duration>,
}

/// How far an ending has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Frames are refused, broadcasts go on.
    Refusing,
    /// What was broadcast up to here is written.
    ToCut(Seq),
    /// `closing` is queued.
    Goodbye,
    /// The write side is shut.
    Lingering,
}

impl Ending {
    /// Whether a frame that arrives now is still answered: with a refusal.
    pub(super) fn refuses_frames(&self) -> bool {
        self.reason == CloseReason::Shutdown && self.ordered && self.step < Step::Goodbye
    }

    /// Ends the session as failed by the server, unless the client's own error ends it already.
    pub(super) fn fail(&mut self, is_stopping: bool) {
        if !matches!(self.reason, CloseReason::Error(_)) {
            self.reason = CloseReason::Error(ErrorCode::Internal);
            self.failed_in_stop = is_stopping;
        }
    }

    /// What it has still to get.
    pub(super) fn owed(&self) -> Owed {
        match (self.reason, self.step) {
            (CloseReason::Shutdown, _) => Owed::UpToHead,
            _ if self.failed_in_stop => Owed::UpToHead,
            (_, Step::ToCut(cut)) => Owed::UpTo(cut),
            (_, Step::Refusing | Step::Goodbye | Step::Lingering) => Owed::Nothing,
        }
    }
}

impl<L: Link + 'static> Session<L> {
    /// The session ends for `reason`: what is broadcast by now is still written,
    /// then comes `closing`.
    pub(super) fn end(&mut self, reason: CloseReason) {
        let cut = self.listener.log.head();
        self.start_ending(reason, Step::ToCut(cut), false);
    }

    /// Ends the session with an error: nothing but `closing` follows it.
    pub(super) fn fail(&mut self, code: ErrorCode, message: &str) {
        self.outlet.answer(&ServerFrame::error(None, code, message));
        let reason = match code {
            ErrorCode::Stopping => CloseReason::Shutdown,
            _ => CloseReason::Error(code),
        };
        let here = self.outlet.reached();
        self.start_ending(reason, Step::ToCut(here), false);
    }

    pub(super) fn fail_by_wire(&mut self, error: &WireError) {
        if self.listener.log_limit.admits_bad_input(&self.peer) {
            tracing::info!(session = %self.info.id, peer = %self.info.peer(), %error, "bad input");
        }
        self.fail(error.code, &error.message);
    }

    /// Whether `closing` is queued: nothing may follow it.
    pub(super) fn is_saying_goodbye(&self) -> bool {
        match &self.state {
            State::Ending(ending) => ending.step >= Step::Goodbye,
            State::Closed { .. } => true,
            _ => false,
        }
    }

    pub(super) fn start_ending(&mut self, reason: CloseReason, step: Step, ordered: bool) {
        // Whoever ends with an error in a shutdown is still led by it.
        let ordered = ordered || self.ending().is_some_and(|ending| ending.ordered);
        let is_ours = reason == CloseReason::Error(ErrorCode::Internal);
        let failed_in_stop = is_ours && self.listener.stopwatch.now().is_some();
        let member = self.state.take_member();
        self.state = State::Ending(Ending {
            member,
            reason,
            step,
            failed_in_stop,
            ordered,
            may_linger: false,
            watched: false,
            look: None,
        });
    }

    /// Writes, up to the cut where there is one. Whether the pump must go round
    /// again for it.
    pub(super) fn poll_output(&mut self, cx: &mut TaskContext<'_>) -> bool {
        let (until, ends_on_gap) = match &self.state {
            State::Closed { .. } => return false,
            State::Greeting | State::LoggingIn => (None, false),
            State::Ready(_) => (None, self.ends_on_gap()),
            State::Ending(ending) => match ending.step {
                Step::Refusing => (None, false),
                Step::ToCut(cut) => (Some(cut), false),
                Step::Goodbye | Step::Lingering => (Some(Seq::ZERO), false),
            },
        };
        // Input that had to wait for room is looked at once there is some.
        let had_room = self.outlet.has_room();
        let mut wrote = false;
        for _ in 0..WRITES {
            match self.outlet.write(until, ends_on_gap, cx) {
                Written::More => wrote = true,
                stopped @ (Written::Clear | Written::Blocked) => {
                    self.wakes.write = stopped == Written::Blocked;
                    self.note_sent(wrote, had_room);
                    return wrote && !had_room;
                }
                Written::FellOff(gap) => {
                    let message =
                        format!("broadcasts {} to {} are no longer held", gap.from, gap.to);
                    self.fail(ErrorCode::SlowConsumer, &message);
                    return true;
                }
                Written::Unreadable => {
                    let message = "the server's journal cannot be read: resume from here later";
                    self.fail(ErrorCode::Internal, message);
                    return true;
                }
            }
        }
        self.note_sent(wrote, had_room);
        true
    }

    fn note_sent(&mut self, wrote: bool, had_room: bool) {
        if wrote && !had_room {
            self.deadlines.note_input(); // the client reads, and its frames wait for that
        }
        let sent = self.outlet.sent();
        if wrote && sent != self.info.sent() {
            self.info.set_sent(sent);
            self.note_time(|times| &mut times.last_broadcast);
        }
    }

    fn ends_on_gap(&self) -> bool {
        self.listener.limits.slow == super::SlowPolicy::Disconnect
    }

    /// Takes the next step of an ending, if it can be taken.
    pub(super) fn move_on(&mut self, ctx: &mut Context<Self>, cx: &mut TaskContext<'_>) -> bool {
        let failed = self.outlet.has_failed_on_own_side();
        if failed {
            self.fail_unwritable();
        }
        self.watch_over(ctx);
        let pending = self.pending.is_some();
        let broken = self.outlet.is_broken();
        let reached = self.outlet.reached();
        let clear = self.outlet.is_clear();
        let over = self.inbox.is_over;
        let half_closes = self.outlet.link_ref().half_closes();
        let is_brief = self.is_brief;
        let follows = self.outlet.follows();
        let lingers_unread = self.lingers_unread();
        let unanswered = pending || self.holds_unanswered();
        let Some(ending) = self.ending() else {
            return false;
        };
        let reason = ending.reason;
        match ending.step {
            Step::Refusing if failed && !pending => self.close(reason),
            Step::Refusing if broken && over && !failed => self.close(CloseReason::Lost),
            Step::Refusing => return false,
            Step::ToCut(_) if broken && !pending => self.close(lost_or(reason)),
            Step::ToCut(cut) if unanswered || (follows && reached < cut) => return false,
            Step::ToCut(_) => self.say_goodbye(),
            Step::Goodbye if broken => self.close(lost_or(reason)),
            Step::Goodbye if !clear => return false,
            Step::Goodbye if ending.ordered && !ending.may_linger => {
                return self.look_for_evidence(ctx);
            }
            Step::Goodbye => {
                ending.step = Step::Lingering;
                self.outlet.shut(cx);
            }
            Step::Lingering if broken => self.close(lost_or(reason)),
            Step::Lingering if lingers_unread => {
                self.look_again(ctx);
                return false;
            }
            Step::Lingering if (over || is_brief) && !ending.ordered => self.close(reason),
            Step::Lingering => {
                self.outlet.shut(cx);
                // The client may have closed one side only, and read on. Where nobody
                // can, it sees the end when this side closes, and not before.
                let may_close = over || !half_closes;
                if !self.is_settled() {
                    return self.wait_to_be_read(ctx);
                }
                if !may_close {
                    self.look_again(ctx);
                    return false;
                }
                self.close(reason);
            }
        }
        true
    }

    /// Whoever ends by itself has `drain_timeout` for it.
    fn watch_over(&mut self, ctx: &mut Context<Self>) {
        let limit = self.listener.limits.drain_timeout;
        let was_let_in = self.outlet.follows();
        let limit = match self.ending().map(|ending| ending.reason) {
            _ if self.is_brief => BRIEFLY,
            Some(CloseReason::Error(ErrorCode::Revoked)) => limit.min(REVOKED),
            Some(CloseReason::Error(_)) if !was_let_in => limit.min(TOLD),
            _ => limit,
        };
        if let Some(ending) = self.ending()
            && !ending.watched
            && !ending.ordered
        {
            ending.watched = true;
            self.wait_for_end(limit, false, ctx);
        }
    }

    pub(super) fn give_up_waiting(&mut self) {
        if let Some(ending) = self.ending() {
            let reason = ending.reason;
            tracing::debug!(session = %self.info.id, "the client did not read to the end in time");
            self.close(reason);
            self.wake();
        }
    }

    fn say_goodbye(&mut self) {
        let Some(ending) = self.ending() else { return };
        ending.step = Step::Goodbye;
        let (reason, member, ordered) = (ending.reason, ending.member.take(), ending.ordered);
        self.outlet.stop_following();
        self.outlet.answer(&ServerFrame::Closing(Closing {
            reason: Cow::Borrowed(reason.as_str()),
            last_seq: self.outlet.reached(),
            // What a panic left without its answer is told by the report.
            accepted: self.tally.answered,
            refused: self.tally.refused,
        }));
        self.note_time(|times| &mut times.closing);
        // The session gets no more broadcasts: for the others its user has left.
        // A shutdown announces nobody, its log is sealed.
        if let Some(user) = member.as_ref().and_then(Member::user)
            && !ordered
        {
            self.leave(user);
        }
    }

    pub(super) fn tell_done(&mut self) -> bool {
        let record = self.record();
        match self.waiting.take() {
            Some(waiting) => {
                let _ = waiting.send(record);
                true
            }
            None => false,
        }
    }

    /// The end: nothing is read or written any more.
    pub(super) fn close(&mut self, reason: CloseReason) {
        if self.state.is_closed() {
            return;
        }
        let reason = match &self.state {
            State::Ending(ending) if reason == CloseReason::Shutdown => ending.reason,
            _ => reason,
        };
        let owed = match &self.state {
            _ if reason == CloseReason::Lost => Owed::Nothing, // it broke the connection
            State::Ending(ending) => ending.owed(),
            _ if reason == CloseReason::Shutdown => Owed::UpToHead,
            _ => Owed::Nothing,
        };
        self.evidence = Some(self.evidence_now());
        self.note_time(|times| &mut times.stopped);
        let member = self.state.take_member();
        self.state = State::Closed {
            member,
            reason,
            owed,
        };
        self.outlet.stop_following();
        self.pending = None;
        self.runs.clear();
        self.tell_done();
    }
}

/// A connection that breaks while the session says goodbye is lost, whatever the
/// goodbye was for; an error is told all the same.
fn lost_or(reason: CloseReason) -> CloseReason {
    match reason {
        CloseReason::Error(_) => reason,
        _ => CloseReason::Lost,
    }
}

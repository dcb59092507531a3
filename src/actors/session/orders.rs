//! What a shutdown orders of a session: its cut, its drain, its close.

use std::borrow::Cow;
use std::time::Duration;

use actix::{AsyncContext, Context};
use tokio::sync::oneshot;

use super::Session;
use super::ending::{Step, TOLD};
use super::state::State;
use crate::actors::link::Link;
use crate::actors::supervisor::Status;
use crate::close::{CloseReason, SessionRecord};
use crate::wire::{Seq, ServerFrame, Stopping};

impl<L: Link + 'static> Session<L> {
    /// The shutdown's cut: from here on frames are refused. A session that waits for the
    /// answer to its own `shutdown` is told by that.
    pub(super) fn announce(&mut self, status: Status) {
        if self.is_cut() {
            return;
        }
        if !self.outlet.link_ref().is_open() {
            // Nothing was accepted of it, and nothing can be said to it.
            self.close(CloseReason::Lost);
            self.wake();
            return;
        }
        if let Some(status) = self.notice.get_or_insert_default().announce(status) {
            self.tell_stopping(None, &status);
        }
        self.cut();
    }

    /// Answers the session's own `shutdown`, which is its cut where none was made.
    pub(super) fn answer_shutdown(&mut self, id: u64, status: Status) {
        let status = self.notice.get_or_insert_default().answer(status);
        self.tell_stopping(Some(id), &status);
        if !self.is_cut() {
            self.cut();
        }
    }

    fn is_cut(&self) -> bool {
        matches!(self.state, State::Ending(_) | State::Closed { .. })
    }

    fn cut(&mut self) {
        self.start_ending(CloseReason::Shutdown, Step::Refusing, true);
        self.note_time(|times| &mut times.cut);
    }

    fn tell_stopping(&mut self, id: Option<u64>, status: &Status) {
        self.outlet.answer(&ServerFrame::Stopping(Stopping {
            id,
            reason: Cow::Borrowed(status.reason.as_str()),
            phase: Cow::Borrowed(status.phase.as_str()),
            remaining: u64::try_from(status.remaining.as_millis()).unwrap_or(u64::MAX),
        }));
    }

    /// The shutdown's drain. The receiver resolves when it is done.
    pub(super) fn begin_drain(
        &mut self,
        cut: Seq,
        ctx: &mut Context<Self>,
    ) -> Option<oneshot::Receiver<SessionRecord>> {
        match &mut self.state {
            State::Closed { .. } => return None,
            State::Ending(ending) if ending.step == Step::Refusing => {
                ending.step = Step::ToCut(cut);
            }
            // It ends by itself; from here on the supervisor leads, and asks first
            // whether everything has been read.
            State::Ending(ending) => {
                ending.ordered = true;
                ending.step = ending.step.min(Step::Goodbye);
            }
            // The announcement never reached it; now is as good.
            _ => {
                self.start_ending(CloseReason::Shutdown, Step::ToCut(cut), true);
                self.note_time(|times| &mut times.cut);
            }
        }
        if self.is_strangers() {
            self.wait_for_end(TOLD, true, ctx);
        }
        Some(self.wait_until_done())
    }

    /// Whether it was promised nothing: no frame of it was admitted, no broadcast is its.
    fn is_strangers(&self) -> bool {
        !self.outlet.follows() && self.tally.accepted + self.tally.refused == 0
    }

    /// The shutdown's close.
    pub(super) fn begin_close(
        &mut self,
        linger: Duration,
        ctx: &mut Context<Self>,
    ) -> Option<oneshot::Receiver<SessionRecord>> {
        match &mut self.state {
            State::Closed { .. } => return None,
            State::Ending(ending) => {
                ending.ordered = true;
                ending.may_linger = true;
            }
            _ => return None,
        }
        ctx.run_later(linger, |session, _| session.stop_lingering());
        Some(self.wait_until_done())
    }

    /// The client has read all there was and does not close: nothing is lost by
    /// closing first. One that has not read yet is waited for.
    fn stop_lingering(&mut self) {
        let read = self.is_settled() || self.inbox.is_unreadable;
        let reason = match self.ending() {
            Some(ending) if ending.step == Step::Lingering && read => ending.reason,
            _ => return,
        };
        self.close(reason);
        self.wake();
    }

    fn wait_until_done(&mut self) -> oneshot::Receiver<SessionRecord> {
        let (done, receiver) = oneshot::channel();
        self.waiting = Some(done);
        receiver
    }
}

//! The driver's input: what is received, and the frames that are served.

use std::task::Context as TaskContext;
use std::time::Instant;

use super::Driver;
use crate::actors::link::Link;
use crate::actors::session::core::Served;
use crate::actors::session::core::effects::Effects;
use crate::actors::session::inlet::{End, Fill, FillLimits, Next};
use crate::actors::session::outlet::FAILED;
use crate::actors::session::traces::TracedPublish;
use crate::framing::Failure;
use crate::wire::ClientFrame;

/// The share of a session's turn that a call counts as, in frames. It takes more time than another
/// frame, and most of it on behalf of its responder.
const CALL: u32 = 16;

/// Returns the share of a session's turn that a frame counts as.
fn share_of(frame: &ClientFrame<'_>) -> u32 {
    match frame {
        ClientFrame::Request(request) if request.service().is_some() => CALL,
        _ => 1,
    }
}

impl<L: Link> Driver<L> {
    /// Serves what is there and receives more, as long as that is allowed.
    pub(super) fn poll_input(&mut self, now: Instant, cx: &mut TaskContext<'_>) -> bool {
        if self.core.is_outbound() {
            return self.poll_outbound_input(cx);
        }
        let mut is_any = self.inlet.holds_frame() && self.may_serve() && self.serve(now);
        if self.may_serve() && self.core.wants_input() && !self.inlet.holds_frame() {
            let limits = FillLimits {
                read_size: self.core.read_size(),
                frame: self.core.frame_limit(),
            };
            let fill = self.inlet.fill(&mut self.io.link, limits, cx);
            is_any |= fill.is_any;
            if self.inlet.holds_frame() {
                self.serve(now);
            } else {
                self.inlet.settle(); // the beginning of a frame waits for its rest
            }
            self.note_fill(fill);
        }
        is_any | self.end_of_input()
    }

    /// Whether a further round would find neither input nor work. If so, the session's task is
    /// woken when there is input again.
    pub(super) fn has_read_all(&mut self, cx: &mut TaskContext<'_>) -> bool {
        let has_read_all = !self.core.is_outbound()
            && !self.core.has_work()
            && !self.inlet.holds_frame()
            && self.core.waits_for_input(&self.io)
            && self.io.link.poll_receivable(cx).is_pending();
        self.wakers.read |= has_read_all;
        has_read_all
    }

    fn poll_outbound_input(&mut self, cx: &mut TaskContext<'_>) -> bool {
        if self.core.is_input_over() || self.core.is_closed() {
            return self.end_of_input();
        }
        let fill = self.inlet.drain(&mut self.io.link, cx);
        let is_any = fill.is_any;
        self.note_fill(fill);
        is_any
    }

    fn note_fill(&mut self, fill: Fill) {
        self.wakers.read |= fill.is_pending;
        match fill.end {
            None => {}
            Some(End::Closed) => self.core.hang_up(),
            Some(End::Failed(error)) => self.note_read_failure(&error),
        }
    }

    fn note_read_failure(&mut self, error: &std::io::Error) {
        let session = self.io.info.id;
        if self.io.link.failure_of(error) == Failure::PeerGone {
            tracing::debug!(%session, %error, "reading failed");
            self.core.hang_up();
            self.io.abandon_output();
        } else {
            tracing::warn!(%session, direction = "read", %error, "{FAILED}");
            self.core.input_failed(&mut self.io);
        }
    }

    fn end_of_input(&mut self) -> bool {
        let holds_frame = self.inlet.holds_frame();
        self.core.end_of_input(holds_frame, &mut self.io)
    }

    fn may_serve(&self) -> bool {
        self.turn > 0 && self.core.takes_frames(&self.io)
    }

    /// Serves the frames at the front of the input. Returns whether there was any.
    fn serve(&mut self, now: Instant) -> bool {
        let mut has_served = false;
        self.core.begin_pass();
        while self.may_serve() {
            let length = match self.inlet.next_frame(self.core.frame_limit()) {
                Next::Frame(frame, length) => {
                    let share = share_of(&frame);
                    let traced = TracedPublish::of(&frame);
                    match self.core.frame(frame, now, &mut self.io) {
                        Served::Later => break,
                        Served::Gathered => {}
                        Served::Done => self.turn = self.turn.saturating_sub(share),
                    }
                    if let Some(traced) = traced {
                        traced.log(self.io.info.id, self.io.info.user().as_ref());
                    }
                    length
                }
                Next::Ignored(length) => length,
                Next::Nothing => break,
                Next::Bad(error) => {
                    if !self.core.bad_input(&error, &mut self.io) {
                        break;
                    }
                    self.inlet.skip_bad();
                    continue;
                }
            };
            self.inlet.consume(length);
            has_served = true;
        }
        self.core.end_pass(has_served, now, &mut self.io);
        if self.core.has_said_closing() {
            self.inlet.drop_partial_message();
        }
        self.inlet.settle();
        has_served
    }
}

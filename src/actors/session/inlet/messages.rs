//! Receiving messages, where the system keeps them whole: each is one frame.
//!
//! Several are received before any is served, so that publishes gather into runs here too.

use std::task::{Context as TaskContext, Poll};

use super::unserved::Unserved;
use super::window::Window;
use super::{End, Fill, FillLimits, Inlet, Next};
use crate::actors::link::Link;
use crate::actors::session::core::policy::LONGEST_READ;
use crate::framing::{MessageTooLong, Received};
use crate::wire::{Dialect, WireError};

/// Messages that are received in a row, at most.
const MESSAGES: usize = 64;

impl Inlet {
    fn longest_message(&self) -> usize {
        self.max_frame + Dialect::MESSAGE_OVERHEAD
    }

    pub(super) fn fill_with_messages<L: Link>(
        &mut self,
        link: &mut L,
        limits: FillLimits,
        cx: &mut TaskContext<'_>,
    ) -> Fill {
        let mut window = Window::take();
        let fill = self.receive(link, &mut window, limits, cx);
        let held = self.bytes().len();
        if held == 0 {
            self.unserved = Unserved::Shared(window);
        } else {
            // The bytes that are there already begin the first message.
            if let Some(first) = self.messages.front_mut() {
                *first += held;
            }
            self.unserved.append(window.unserved());
        }
        fill
    }

    fn receive<L: Link>(
        &mut self,
        link: &mut L,
        window: &mut Window,
        limits: FillLimits,
        cx: &mut TaskContext<'_>,
    ) -> Fill {
        let longest = self.longest_message();
        let mut fill = Fill::default();
        // Where the message begins that goes on, and how much of it came in earlier passes.
        let (mut begun, mut begun_before) = (0, self.bytes().len());
        while self.messages.len() < MESSAGES
            && window.free(usize::MAX).len() >= longest.min(LONGEST_READ)
            && window.len() < limits.read_size
            && fill.end.is_none()
            && self.too_long.is_none()
        {
            let received = match link.poll_receive(cx, window.free(usize::MAX)) {
                Poll::Pending => {
                    fill.is_pending = true;
                    break;
                }
                Poll::Ready(received) => received,
            };
            fill.is_any = true;
            match received {
                Ok(Received::Bytes(length)) => window.received(length),
                Ok(Received::Message(length)) => {
                    window.received(length);
                    self.messages.push_back(window.len() - begun);
                    (begun, begun_before) = (window.len(), 0);
                }
                Ok(Received::End) => fill.end = Some(End::Closed),
                Err(error) => match MessageTooLong::of(&error) {
                    Some(too_long) => self.too_long = Some(too_long),
                    None => fill.end = Some(End::Failed(error)),
                },
            }
            let length = begun_before + window.len() - begun;
            if length > longest {
                self.too_long = Some(MessageTooLong { length });
            }
        }
        fill
    }

    pub(super) fn next_message(&mut self, limit: usize) -> Next<'_> {
        let Some(&length) = self.messages.front() else {
            return match self.too_long {
                Some(MessageTooLong { length }) => Next::Bad(WireError::too_large(length, limit)),
                None => Next::Nothing,
            };
        };
        let message = &self.bytes()[..length];
        match self.dialect.decode_message(message, limit) {
            Ok(frame) => Next::Frame(frame, length),
            Err(error) => Next::Bad(error),
        }
    }
}

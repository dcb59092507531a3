//! Receiving from a stream: bytes, of which frames are a prefix.

use std::task::{Context as TaskContext, Poll};

use super::unserved::Unserved;
use super::window::{SHORT_REST, Window};
use super::{End, Fill, FillLimits, Inlet};
use crate::actors::link::Link;
use crate::framing::{MessageTooLong, Received};

impl Inlet {
    pub(super) fn fill_from_stream<L: Link>(
        &mut self,
        link: &mut L,
        limits: FillLimits,
        cx: &mut TaskContext<'_>,
    ) -> Fill {
        let mut window = Window::take();
        let is_short = self.bytes().len() <= SHORT_REST;
        if is_short {
            window.append(self.bytes());
        }
        let mut fill = Fill {
            is_any: true,
            ..Fill::default()
        };
        match link.poll_receive(cx, window.free(limits.read_size)) {
            Poll::Pending => {
                fill = Fill {
                    is_pending: true,
                    ..Fill::default()
                };
            }
            Poll::Ready(Ok(Received::End)) => fill.end = Some(End::Closed),
            Poll::Ready(Err(error)) => fill.end = Some(End::Failed(error)),
            Poll::Ready(Ok(Received::Bytes(length) | Received::Message(length))) => {
                window.received(length);
                self.take_in(window, is_short, limits.frame);
            }
        }
        fill
    }

    fn take_in(&mut self, window: Window, has_rest: bool, limit: usize) {
        let was_partial = std::mem::take(&mut self.is_partial);
        if has_rest {
            self.unserved = Unserved::Shared(window);
            return;
        }
        let searched = self.bytes().len();
        self.unserved.append(window.unserved());
        let is_worth_decoding = || {
            let dialect = self.dialect;
            dialect.is_worth_decoding(self.bytes(), searched, limit)
        };
        self.is_partial = was_partial && !is_worth_decoding();
    }

    /// Receives what there is, and drops it.
    pub(super) fn drain_stream<L: Link>(link: &mut L, cx: &mut TaskContext<'_>) -> Fill {
        let mut window = Window::take();
        let mut fill = Fill {
            is_any: true,
            ..Fill::default()
        };
        match link.poll_receive(cx, window.free(usize::MAX)) {
            Poll::Pending => {
                fill.is_any = false;
                fill.is_pending = true;
            }
            Poll::Ready(Ok(Received::Bytes(_) | Received::Message(_))) => {}
            Poll::Ready(Ok(Received::End)) => fill.end = Some(End::Closed),
            Poll::Ready(Err(error)) if MessageTooLong::of(&error).is_some() => {}
            Poll::Ready(Err(error)) => fill.end = Some(End::Failed(error)),
        }
        fill
    }
}

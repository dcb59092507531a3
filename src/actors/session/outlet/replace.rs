//! Messages that the link cannot carry, though they are no longer than `max_frame`: the
//! system's send buffer may be smaller than the server asked for (net.core.wmem_max).
//!
//! A broadcast is replaced by the `gap` for its one seq, an answer by the error
//! `frame-too-large` with its id, and the session goes on. A replacement is
//! never replaced again: a link that cannot carry it has failed.

use super::Outlet;
use super::queue::Marked;
use crate::wire::{ErrorCode, Gap, ServerFrame};

impl Outlet {
    /// Replaces the first message that has not been sent. Returns whether there is anything
    /// that can stand in for it.
    pub(super) fn replace_message(&mut self) -> bool {
        let (frame, mark) = match self.queue.message_mark() {
            Some(Marked::Broadcast(seq)) => {
                let gap = Gap { from: seq, to: seq };
                (ServerFrame::Gap(gap), Marked::Gap(gap))
            }
            Some(Marked::Answer(Some(id))) => {
                let message = "the answer is longer than this connection can carry";
                let error = ServerFrame::error(Some(id), ErrorCode::FrameTooLarge, message);
                (error, Marked::Answer(None))
            }
            Some(Marked::Answer(None) | Marked::Gap(_)) | None => return false,
        };
        let mut message = Vec::new();
        let is_sent = self.dialect.encode(self.framing(), &frame, &mut message);
        self.queue
            .replace_message(mark, is_sent.then_some(&message));
        tracing::warn!(session = %self.session, "message does not fit into the send buffer");
        self.note_done();
        true
    }
}

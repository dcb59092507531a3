//! Broadcasts for those who do not get the log's bytes as they stand there, and
//! messages for those who get each frame as one.

use std::task::{Context as TaskContext, Poll};

use super::queue::Marked;
use super::reader::Reader;
use super::{Outlet, Wanted, Written};
use crate::actors::link::Link;
use crate::framing::{Failure, Framing};
use crate::log::{Frames, Slices, frame_length};
use crate::wire::{Decoded, Dialect, Gap, Passed, Seq, ServerFrame, cbor};

/// Messages sent in a row before the session looks at its input again.
const MESSAGES: usize = 64;

impl Outlet {
    /// Queues broadcasts as this client gets them.
    pub(super) fn render(&mut self, slices: &Slices) {
        let read = self.reader.as_ref().map_or(Seq::ZERO, Reader::read_seq);
        let (mut seq, mut length, mut delivered) = (read, 0, 0);
        for slice in slices {
            let mut bytes = &slice.bytes[..];
            while let Some(used) = frame_length(bytes)
                && let Some(frame) = bytes.get(..used)
            {
                seq = seq.next();
                if self
                    .reader
                    .as_mut()
                    .is_some_and(|reader| reader.takes(seq, frame))
                {
                    delivered += u64::from(self.render_frame(seq, frame));
                    self.tell(seq);
                }
                bytes = &bytes[used..];
            }
            length += slice.bytes.len();
        }
        if let Some(reader) = &mut self.reader {
            reader.advance(&self.log, slices, length);
        }
        self.counters.delivered(delivered);
        self.note_done();
    }

    /// Queues kept values as long as there is room: those that one step finds.
    pub(super) fn queue_kept(&mut self) {
        if !self.queue.has_room() {
            return;
        }
        let Some(mut search) = self.kept.take() else {
            return;
        };
        self.reader.iter_mut().for_each(Reader::update_rules);
        for frame in self.log.search_kept(&mut search) {
            let may_hear = self
                .reader
                .as_ref()
                .is_some_and(|reader| reader.may_hear(&frame));
            if may_hear
                && let Ok(Decoded::Frame(ServerFrame::Message(message), _)) =
                    cbor::decode_server(&frame, usize::MAX)
            {
                // A client in message mode that cannot take one goes without it.
                self.answer_within(&ServerFrame::Kept(message));
            }
        }
        self.kept = Some(search).filter(|search| !search.is_over());
    }

    /// Queues broadcasts that the client's filter selects.
    pub(super) fn render_selected(&mut self, frames: &Frames) {
        let has_rules = self.reader.as_ref().is_some_and(Reader::has_rules);
        if let Some((bytes, ends)) = frames.as_joined()
            && self.dialect.is_log_native(self.framing())
            && !has_rules
        {
            self.queue.push_broadcasts(bytes, ends);
            self.counters.delivered(ends.len() as u64);
            frames.last().into_iter().for_each(|seq| self.tell(seq));
            return;
        }
        let mut delivered = 0;
        for (seq, frame) in frames.iter() {
            if self
                .reader
                .as_mut()
                .is_some_and(|reader| reader.takes_selected(seq, frame))
            {
                delivered += u64::from(self.render_frame(seq, frame));
                self.tell(seq);
            }
        }
        self.counters.delivered(delivered);
        self.note_done();
    }

    /// Notes a seq that the client is told of.
    fn tell(&mut self, seq: Seq) {
        if let Some(reader) = &mut self.reader {
            reader.tell(seq);
        }
    }

    /// Queues what tells the client that nothing up to a seq was for it.
    pub(super) fn queue_passed(&mut self, to: Seq) {
        let (dialect, framing) = (self.dialect, self.queue.framing());
        let frame = ServerFrame::Passed(Passed { to });
        let is_sent = dialect.encode(framing, &frame, self.queue.bytes());
        self.queue.mark(is_sent, Marked::Broadcast(to));
        self.tell(to);
        self.note_done();
    }

    /// Queues a broadcast in the client's dialect. Returns whether the client gets it.
    fn render_frame(&mut self, seq: Seq, frame: &[u8]) -> bool {
        let (dialect, framing) = (self.dialect, self.queue.framing());
        let end = self.queue.end();
        let out = self.queue.bytes();
        let is_sent = match dialect {
            Dialect::Cbor => {
                out.extend_from_slice(frame);
                true
            }
            _ => match cbor::decode_server(frame, usize::MAX) {
                Ok(Decoded::Frame(frame, _)) => dialect.encode(framing, &frame, out),
                Ok(Decoded::Partial | Decoded::Ignored(_)) | Err(_) => false,
            },
        };
        let is_too_long = framing == Framing::Messages && self.queue.since(end) > self.longest;
        if is_sent && is_too_long {
            self.queue.take_back(end);
            self.queue_gap(Gap { from: seq, to: seq });
            return false;
        }
        self.queue.mark(is_sent, Marked::Broadcast(seq));
        is_sent
    }

    /// Queues what tells the client of a gap. A raw one is told nothing.
    pub(super) fn queue_gap(&mut self, gap: Gap) {
        let (dialect, framing) = (self.dialect, self.queue.framing());
        let is_sent = dialect.encode(framing, &ServerFrame::Gap(gap), self.queue.bytes());
        if !is_sent {
            let (from, to) = (gap.from, gap.to);
            tracing::debug!(session = %self.session, %from, %to, "broadcasts skipped for a raw reader");
        }
        self.queue.mark(is_sent, Marked::Gap(gap));
        self.counters.gap_told();
        self.note_done();
    }

    /// Notes what has been written, or passed over.
    pub(super) fn note_done(&mut self) {
        while let Some(done) = self.queue.next_done() {
            let Some(reader) = &mut self.reader else {
                continue;
            };
            match done {
                Marked::Answer(_) => {}
                Marked::Broadcast(seq) => reader.note_rendered(seq),
                Marked::Gap(gap) => reader.note_gap(gap),
            }
        }
    }

    /// Sends what is queued and, up to `until`, what the log holds, each frame as one
    /// message.
    pub(super) fn send_messages<L: Link>(
        &mut self,
        link: &mut L,
        wanted: Wanted,
        cx: &mut TaskContext<'_>,
    ) -> Written {
        for sent in 0..MESSAGES {
            let searched = self.kept.is_some();
            if self.queue.message().is_none()
                && let Err(stopped) = self.next_slices(wanted, cx)
            {
                return stopped;
            }
            let Some(message) = self.queue.message() else {
                return if sent > 0 || searched {
                    Written::More
                } else {
                    Written::Clear
                };
            };
            let length = message.len() as u64;
            match link.poll_send_message(cx, message) {
                Poll::Ready(Ok(())) => {
                    self.counters.sent(length);
                    self.queue.message_sent();
                }
                Poll::Ready(Err(error)) => {
                    let is_too_long = link.failure_of(&error) == Failure::MessageTooLong;
                    if is_too_long && self.replace_message() {
                        continue;
                    }
                    return self.fail(link, &error);
                }
                Poll::Pending => {
                    self.note_lag();
                    return if sent > 0 {
                        Written::More
                    } else {
                        Written::Blocked
                    };
                }
            }
            if let Some(reader) = &mut self.reader {
                reader.note_taken(length);
            }
            self.note_done();
        }
        Written::More
    }
}

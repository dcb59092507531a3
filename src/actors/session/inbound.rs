//! Bytes to frames, and when to read.

use std::cell::Cell;
use std::collections::VecDeque;
use std::task::{Context as TaskContext, Poll};

use actix::Context;

use super::Session;
use super::park::{Hold, HoldTimer};
use super::state::{Member, State};
use crate::actors::link::Link;
use crate::close::CloseReason;
use crate::framing::{Framing, MessageTooLong, Received};
use crate::log::PublishWait;
use crate::wire::Decoded;

/// What one read takes, at least. The buffer is the thread's, not the session's:
/// an idle session holds none.
pub(super) const READ: usize = 256 * 1024;

/// The same for a client of the raw dialect, which nobody knows, and for one that has not
/// logged in: what it sends and is not served waits in memory.
const READ_OF_NAMELESS: usize = 16 * 1024;
const READ_BEFORE_LOGIN: usize = 4 * 1024;

/// The beginning of a frame that is put in front of the next read. A longer one is
/// copied once, and not for each of its pieces.
const SHORT_REST: usize = 4 * 1024;

thread_local! {
    static SCRATCH: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Bytes that were read and not yet served.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    pub(super) bytes: Vec<u8>,
    /// In message mode: how long each whole message at their front is.
    pub(super) messages: VecDeque<usize>,
    /// In message mode: behind these comes one that cannot be received.
    pub(super) too_long: Option<MessageTooLong>,
    /// The client has closed its side.
    pub(super) is_over: bool,
    /// Reading has failed on this side: the client may still be there.
    pub(super) is_unreadable: bool,
    /// Its registration among the publishers that wait for readers.
    pub(super) publish_wait: PublishWait,
    /// The first frame waits: a publish for slow readers, others for their rate.
    pub(super) hold: Option<Hold>,
    /// The first frame waits for the answers to the runs that are on their way.
    pub(super) waits_for_runs: bool,
    /// Ends the hold.
    pub(super) hold_timer: HoldTimer,
    /// A timer will ask again whether a client that only listens is still there.
    pub(super) looks_again: bool,
    /// Whether the bytes hold no whole frame, as far as is known.
    pub(super) is_partial: bool,
}

impl Inbox {
    /// Whether a whole frame may be there, to be served.
    fn holds_frame(&self) -> bool {
        !self.messages.is_empty() || !(self.is_partial || self.bytes.is_empty())
    }

    /// Puts a short rest at the front of `scratch`; its length there. The inbox
    /// keeps it until something follows it.
    fn put_short_rest(&self, scratch: &mut [u8]) -> usize {
        let rest = self.bytes.len();
        if rest > SHORT_REST {
            return 0;
        }
        scratch[..rest].copy_from_slice(&self.bytes);
        rest
    }
}

impl<L: Link + 'static> Session<L> {
    /// Serves what is there and reads more, as long as that is allowed.
    pub(super) fn poll_input(&mut self, ctx: &mut Context<Self>, cx: &mut TaskContext<'_>) -> bool {
        let is_deaf = self.listener.dialect.is_outbound();
        let mut progress = false;
        if !is_deaf {
            progress = self.serve_inbox(cx);
            if !self.may_serve() || self.inbox.hold.is_some() || self.inbox.is_over {
                return progress | self.note_end(cx);
            }
        }
        let fresh = || vec![0; SHORT_REST + READ].into();
        let mut scratch: Box<[u8]> = SCRATCH.take().unwrap_or_else(fresh);
        progress |= match self.outlet.framing() {
            _ if is_deaf => self.poll_ignored(&mut scratch, ctx, cx),
            Framing::Stream => self.poll_stream(&mut scratch, cx),
            Framing::Messages => self.poll_messages(&mut scratch, cx),
        };
        SCRATCH.set(Some(scratch));
        progress
    }

    fn poll_stream(&mut self, scratch: &mut [u8], cx: &mut TaskContext<'_>) -> bool {
        let rest = self.inbox.put_short_rest(scratch);
        let end = rest + self.read_size();
        match self.read(&mut scratch[rest..end], cx) {
            Poll::Pending => {
                self.wakes.read = true;
                false
            }
            Poll::Ready(0) => {
                self.note_end(cx);
                true
            }
            Poll::Ready(length) => {
                if rest > 0 {
                    self.inbox.bytes = Vec::new();
                }
                self.take_in(&scratch[..rest + length], cx);
                true
            }
        }
    }

    /// Returns the bytes that one read takes at most.
    pub(super) fn read_size(&self) -> usize {
        match self.state.member() {
            Some(Member::User { .. }) => READ,
            Some(Member::Nameless) => READ_OF_NAMELESS,
            None => READ_BEFORE_LOGIN,
        }
    }

    fn read(&mut self, scratch: &mut [u8], cx: &mut TaskContext<'_>) -> Poll<usize> {
        match self.outlet.link().poll_receive(cx, scratch) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(Received::Bytes(length) | Received::Message(length))) => {
                Poll::Ready(length)
            }
            Poll::Ready(Ok(Received::End)) => {
                self.inbox.is_over = true;
                Poll::Ready(0)
            }
            Poll::Ready(Err(error)) => {
                self.note_unreadable(&error);
                Poll::Ready(0)
            }
        }
    }

    /// Whether a frame may be admitted, or refused, now.
    pub(super) fn may_serve(&self) -> bool {
        let open = match &self.state {
            State::Greeting | State::Ready(_) => true,
            State::Ending(ending) => ending.refuses_frames() || self.is_saying_goodbye(),
            State::LoggingIn | State::Closed { .. } => false,
        };
        open && self.turn > 0
            && (self.pending.is_none() || self.may_run_on())
            && self.outlet.has_room()
    }

    /// Whether frames that were read behind the cut wait for room for their refusals. The
    /// next room serves them: `closing` comes behind those.
    pub(super) fn holds_unanswered(&self) -> bool {
        let refuses = matches!(&self.state, State::Ending(ending) if ending.refuses_frames());
        refuses && self.inbox.holds_frame() && !self.outlet.has_room()
    }

    fn take_in(&mut self, bytes: &[u8], cx: &mut TaskContext<'_>) {
        let was_partial = std::mem::take(&mut self.inbox.is_partial);
        if self.inbox.bytes.is_empty() {
            let served = self.serve_bytes(bytes, cx);
            self.inbox.bytes.extend_from_slice(&bytes[served..]);
            return;
        }
        let searched = self.inbox.bytes.len();
        self.inbox.bytes.extend_from_slice(bytes);
        let (all, limit) = (&self.inbox.bytes, self.frame_limit());
        if was_partial
            && !self
                .listener
                .dialect
                .is_worth_decoding(all, searched, limit)
        {
            self.inbox.is_partial = true;
            return;
        }
        self.serve_inbox(cx);
    }

    fn serve_inbox(&mut self, cx: &mut TaskContext<'_>) -> bool {
        if self.outlet.framing() == Framing::Messages {
            return self.serve_waiting_messages(cx);
        }
        if self.inbox.bytes.is_empty() || self.inbox.is_partial || !self.may_serve() {
            return false;
        }
        let mut bytes = std::mem::take(&mut self.inbox.bytes);
        let served = self.serve_bytes(&bytes, cx);
        bytes.drain(..served);
        if bytes.is_empty() && bytes.capacity() > READ {
            bytes = Vec::new();
        }
        self.inbox.bytes = if bytes.is_empty() { Vec::new() } else { bytes };
        served > 0
    }

    /// Serves the frames at the front of `bytes`; how many bytes they took.
    fn serve_bytes(&mut self, bytes: &[u8], cx: &mut TaskContext<'_>) -> usize {
        let mut used = 0;
        self.inbox.hold = None;
        while self.may_serve() {
            let limit = self.frame_limit();
            match self.listener.dialect.decode(&bytes[used..], limit) {
                Ok(Decoded::Frame(frame, length)) => {
                    if !self.serve(frame, cx) {
                        break;
                    }
                    used += length;
                }
                Ok(Decoded::Ignored(length)) => used += length,
                Ok(Decoded::Partial) => {
                    self.inbox.is_partial = true;
                    break;
                }
                // Behind `closing` nothing is answered any more.
                Err(_) if self.is_saying_goodbye() => return bytes.len(),
                // What was sent before it is answered first: it comes up again.
                Err(_) if self.must_wait() => break,
                Err(error) => {
                    self.fail_by_wire(&error);
                    break;
                }
            }
        }
        self.conclude_serving(used > 0);
        used
    }

    pub(super) fn conclude_serving(&mut self, served: bool) {
        if served {
            self.deadlines.note_input();
        }
        self.finish_batch();
    }

    pub(super) fn frame_limit(&self) -> usize {
        if self.state.member().is_some() {
            self.listener.limits.max_frame
        } else {
            self.listener.limits.max_frame_before_login
        }
    }

    /// The client has said all that it will: once that is served, the session ends.
    pub(super) fn note_end(&mut self, cx: &mut TaskContext<'_>) -> bool {
        let progress = self.inbox.is_over && self.inbox.is_partial && self.serve_last_line(cx);
        let served = self.pending.is_none() && self.inbox.hold.is_none();
        let whole = !self.inbox.holds_frame();
        let open = matches!(self.state, State::Greeting | State::Ready(_));
        if !(self.inbox.is_over && served && whole && open) {
            return progress;
        }
        self.end(CloseReason::Disconnected);
        true
    }

    /// A program that knows nothing of arauto may end with its text, and not with a
    /// line. Whether that was served now.
    fn serve_last_line(&mut self, cx: &mut TaskContext<'_>) -> bool {
        let dialect = self.listener.dialect;
        let is_line = dialect.raw().is_some() && self.outlet.framing() == Framing::Stream;
        if !is_line || self.inbox.bytes.is_empty() || !self.may_serve() {
            return false;
        }
        self.inbox.hold = None;
        let line = std::mem::take(&mut self.inbox.bytes);
        match dialect.decode_message(&line, self.frame_limit()) {
            Ok(frame) => {
                let served = self.serve(frame, cx);
                if !served {
                    self.inbox.bytes = line;
                }
                served
            }
            Err(error) => {
                self.fail_by_wire(&error);
                true
            }
        }
    }
}

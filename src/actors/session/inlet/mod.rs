//! Input: bytes or messages of the connection to frames.
//!
//! An idle session holds no buffer. Reads go into a buffer of the thread; frames are decoded
//! where they lie, and only what was not served when the pass ends is copied into the session.
//! [`Inlet::next_frame`] is the same for streams and for messages.
//!
//! A pass: [`Inlet::fill`] receives, then [`Inlet::next_frame`] and [`Inlet::consume`] in turn,
//! then [`Inlet::settle`].

mod messages;
#[cfg(any(test, fuzzing))]
pub(super) mod saved;
mod stream;
mod unserved;
mod window;

use std::io;
use std::task::Context as TaskContext;

use self::unserved::Unserved;
use super::lazy_queue::LazyQueue;
use crate::actors::link::Link;
use crate::framing::{Framing, MessageTooLong};
use crate::wire::{ClientFrame, Decoded, Dialect, WireError};

/// Input that was received and not served.
#[derive(Debug)]
pub(super) struct Inlet {
    dialect: Dialect,
    framing: Framing,
    /// The longest frame that any client may send.
    max_frame: usize,
    unserved: Unserved,
    /// In message mode: the length of each whole message at the front.
    messages: LazyQueue<usize>,
    /// In message mode: behind these comes one that could not be received.
    too_long: Option<MessageTooLong>,
    /// Whether the bytes hold no whole frame, as far as is known.
    is_partial: bool,
    is_over: bool,
}

/// The front of the input.
#[derive(Debug)]
pub(super) enum Next<'a> {
    /// A frame, and how many bytes it takes.
    Frame(ClientFrame<'a>, usize),
    /// So many bytes that mean nothing.
    Ignored(usize),
    /// No whole frame.
    Nothing,
    /// Bytes that are no frame: [`Inlet::skip_bad`].
    Bad(WireError),
}

/// The result of one attempt to receive.
#[derive(Debug, Default)]
pub(super) struct Fill {
    /// Whether there was anything, be it an empty message or the end.
    pub(super) is_any: bool,
    /// Whether the connection wakes the task when there is more.
    pub(super) is_pending: bool,
    pub(super) end: Option<End>,
}

/// The end of the input.
#[derive(Debug)]
pub(super) enum End {
    /// The client has closed its side.
    Closed,
    Failed(io::Error),
}

/// How much one attempt may receive.
#[derive(Debug, Clone, Copy)]
pub(super) struct FillLimits {
    /// Bytes.
    pub(super) read_size: usize,
    /// The longest frame that the client may send now.
    pub(super) frame: usize,
}

impl Inlet {
    pub(super) fn new(dialect: Dialect, framing: Framing, max_frame: usize) -> Inlet {
        Inlet {
            dialect,
            framing,
            max_frame,
            unserved: Unserved::default(),
            messages: LazyQueue::default(),
            too_long: None,
            is_partial: false,
            is_over: false,
        }
    }

    /// Whether a whole frame may be there, to be served.
    pub(super) fn holds_frame(&self) -> bool {
        match self.framing {
            Framing::Messages => !self.messages.is_empty() || self.too_long.is_some(),
            Framing::Stream => {
                !self.bytes().is_empty() && (!self.is_partial || self.holds_last_line())
            }
        }
    }

    /// A program that knows nothing of arauto may end with its text, and not with a line.
    fn holds_last_line(&self) -> bool {
        let is_raw_stream = self.dialect.raw().is_some() && self.framing == Framing::Stream;
        self.is_over && is_raw_stream && !self.bytes().is_empty()
    }

    fn bytes(&self) -> &[u8] {
        self.unserved.bytes()
    }

    /// Receives what there is, as far as the limits allow. It must not be called while whole
    /// messages wait.
    pub(super) fn fill<L: Link>(
        &mut self,
        link: &mut L,
        limits: FillLimits,
        cx: &mut TaskContext<'_>,
    ) -> Fill {
        let fill = match self.framing {
            Framing::Stream => self.fill_from_stream(link, limits, cx),
            Framing::Messages => self.fill_with_messages(link, limits, cx),
        };
        self.is_over |= fill.end.is_some();
        fill
    }

    /// Receives what there is, and drops it.
    pub(super) fn drain<L: Link>(&mut self, link: &mut L, cx: &mut TaskContext<'_>) -> Fill {
        let fill = Inlet::drain_stream(link, cx);
        self.is_over |= fill.end.is_some();
        fill
    }

    /// Returns what the front of the input holds. Frames may have up to `limit` bytes.
    pub(super) fn next_frame(&mut self, limit: usize) -> Next<'_> {
        if self.framing == Framing::Messages {
            return self.next_message(limit);
        }
        if self.bytes().is_empty() {
            return Next::Nothing;
        }
        let is_last_line = self.holds_last_line();
        let (dialect, is_partial) = (self.dialect, &mut self.is_partial);
        let bytes = self.unserved.bytes();
        match dialect.decode(bytes, limit) {
            Ok(Decoded::Frame(frame, length)) => Next::Frame(frame, length),
            Ok(Decoded::Ignored(length)) => Next::Ignored(length),
            Ok(Decoded::Partial) if is_last_line => match dialect.decode_message(bytes, limit) {
                Ok(frame) => Next::Frame(frame, bytes.len()),
                Err(error) => Next::Bad(error),
            },
            Ok(Decoded::Partial) => {
                *is_partial = true;
                Next::Nothing
            }
            Err(error) => Next::Bad(error),
        }
    }

    /// Moves behind the frame at the front, which has been served.
    pub(super) fn consume(&mut self, length: usize) {
        if self.framing == Framing::Messages {
            self.messages.pop_front();
        }
        self.unserved.consume(length);
    }

    /// Moves behind what is no frame. In a stream, where the next frame begins is not known.
    pub(super) fn skip_bad(&mut self) {
        match (self.framing, self.messages.front()) {
            (Framing::Messages, Some(&length)) => self.consume(length),
            (Framing::Messages, None) => self.too_long = None,
            (Framing::Stream, _) => self.discard(),
        }
    }

    /// Drops the beginning of a message that is not wanted any more.
    pub(super) fn drop_partial_message(&mut self) {
        if self.framing == Framing::Messages && !self.holds_frame() {
            self.discard();
        }
    }

    /// Drops all that was received.
    pub(super) fn discard(&mut self) {
        self.unserved = Unserved::default();
        self.messages = LazyQueue::default();
        self.too_long = None;
    }

    /// Ends a pass: the session keeps what was not served, and nothing else.
    pub(super) fn settle(&mut self) {
        self.unserved.settle();
    }
}

//! Messages to frames, where the system keeps messages whole: each is one frame.
//!
//! Several are read before any is served, so that publishes gather into runs here
//! too.

use std::collections::VecDeque;
use std::task::{Context as TaskContext, Poll};

use super::Session;
use super::inbound::READ;
use crate::actors::link::Link;
use crate::framing::{MessageTooLong, Received};
use crate::wire::{Dialect, WireError};

/// Messages that are read in a row, at most.
const MESSAGES: usize = 64;

/// What a round of receiving brought.
#[derive(Default)]
struct Brought {
    /// The bytes of whole messages, and of one that goes on behind them.
    length: usize,
    messages: VecDeque<usize>,
    /// Where the one that goes on begins.
    begun: usize,
    /// Whether there was anything, be it an empty message or the end.
    any: bool,
}

impl<L: Link + 'static> Session<L> {
    /// Receives messages and serves them.
    pub(super) fn poll_messages(&mut self, scratch: &mut [u8], cx: &mut TaskContext<'_>) -> bool {
        if !self.inbox.messages.is_empty() {
            return false; // these come first
        }
        let brought = self.receive(scratch, cx);
        let inbox = &mut self.inbox;
        let mut messages = brought.messages;
        if inbox.bytes.is_empty() {
            inbox.messages = messages;
            let served = self.serve_messages(&scratch[..brought.length], cx);
            let rest = &scratch[served..brought.length];
            self.inbox.bytes.extend_from_slice(rest);
        } else {
            // What is there is the beginning of the first.
            if let Some(first) = messages.front_mut() {
                *first += inbox.bytes.len();
            }
            inbox.messages = messages;
            inbox.bytes.extend_from_slice(&scratch[..brought.length]);
            self.serve_waiting_messages(cx);
        }
        if self.is_saying_goodbye() && self.inbox.messages.is_empty() {
            self.inbox.bytes = Vec::new(); // nobody will look at the rest of it
        }
        brought.any | self.note_end(cx)
    }

    fn receive(&mut self, scratch: &mut [u8], cx: &mut TaskContext<'_>) -> Brought {
        let longest = self.longest_message();
        let mut brought = Brought::default();
        let mut begun_before = self.inbox.bytes.len();
        while brought.messages.len() < MESSAGES
            && scratch.len() - brought.length >= longest.min(READ)
            && brought.length < self.read_size()
            && !self.inbox.is_over
            && self.inbox.too_long.is_none()
        {
            let room = &mut scratch[brought.length..];
            let Poll::Ready(received) = self.outlet.link().poll_receive(cx, room) else {
                self.wakes.read = true;
                break;
            };
            brought.any = true;
            match received {
                Ok(Received::Bytes(length)) => brought.length += length,
                Ok(Received::Message(length)) => {
                    brought.length += length;
                    let message = brought.length - brought.begun;
                    brought.messages.push_back(message);
                    (brought.begun, begun_before) = (brought.length, 0);
                }
                Ok(Received::End) => self.inbox.is_over = true,
                Err(error) => match MessageTooLong::of(&error) {
                    Some(too_long) => self.inbox.too_long = Some(too_long),
                    None => self.note_unreadable(&error),
                },
            }
            let length = begun_before + brought.length - brought.begun;
            if length > longest {
                self.inbox.too_long = Some(MessageTooLong { length });
            }
        }
        brought
    }

    fn longest_message(&self) -> usize {
        self.listener.limits.max_frame + Dialect::MESSAGE_OVERHEAD
    }

    /// Serves what waits in the inbox.
    pub(super) fn serve_waiting_messages(&mut self, cx: &mut TaskContext<'_>) -> bool {
        let waiting = self.inbox.messages.len();
        if (waiting == 0 && self.inbox.too_long.is_none()) || !self.may_serve() {
            return false;
        }
        let mut bytes = std::mem::take(&mut self.inbox.bytes);
        let served = self.serve_messages(&bytes, cx);
        bytes.drain(..served);
        self.inbox.bytes = if bytes.is_empty() { Vec::new() } else { bytes };
        self.inbox.messages.len() < waiting
    }

    /// Serves the messages at the front of `bytes`; how many bytes they took.
    fn serve_messages(&mut self, bytes: &[u8], cx: &mut TaskContext<'_>) -> usize {
        // Taken, as the bytes are: a handler that panics must not leave one of the two.
        let mut messages = std::mem::take(&mut self.inbox.messages);
        let waiting = messages.len();
        let mut used = 0;
        self.inbox.hold = None;
        while self.may_serve()
            && let Some(&length) = messages.front()
        {
            let limit = self.frame_limit();
            let message = &bytes[used..used + length];
            match self.listener.dialect.decode_message(message, limit) {
                Ok(frame) => {
                    if !self.serve(frame, cx) {
                        break;
                    }
                }
                // Behind `closing` nothing is answered any more.
                Err(_) if self.is_saying_goodbye() => {}
                // What was sent before it is answered first: it comes up again.
                Err(_) if self.must_wait() => break,
                Err(error) => {
                    self.fail_by_wire(&error);
                    break;
                }
            }
            messages.pop_front();
            used += length;
        }
        let served = messages.len() < waiting;
        if messages.is_empty() {
            self.fail_if_too_long();
        } else {
            self.inbox.messages = messages;
        }
        self.inbox.is_partial = self.inbox.messages.is_empty();
        self.conclude_serving(served);
        used
    }

    /// Behind what has been served came a message that could not be received.
    fn fail_if_too_long(&mut self) {
        let Some(MessageTooLong { length }) = self.inbox.too_long else {
            return;
        };
        if self.is_saying_goodbye() {
            self.inbox.too_long = None;
        } else if self.may_serve() && !self.must_wait() {
            self.inbox.too_long = None;
            self.fail_by_wire(&WireError::too_large(length, self.frame_limit()));
        }
    }
}

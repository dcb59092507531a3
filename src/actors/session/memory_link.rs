//! A connection that is a piece of memory, and can be copied, for tests.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use crate::actors::link::Link;
use crate::close::Evidence;
use crate::framing::{Framing, Received};

/// The frames that the client sends and takes.
#[derive(Debug, Clone)]
pub(in crate::actors::session) struct MemoryLink {
    pub(in crate::actors::session) framing: Framing,
    /// Pieces that can be received, and whether each ends a message.
    pub(in crate::actors::session) input: VecDeque<(Vec<u8>, bool)>,
    pub(in crate::actors::session) is_input_over: bool,
    /// Bytes, or messages, that the client takes before the output blocks.
    pub(in crate::actors::session) takes: usize,
    /// The bytes that were written; in message mode each message behind its length.
    pub(in crate::actors::session) written: Vec<u8>,
    pub(in crate::actors::session) is_shut: bool,
}

impl MemoryLink {
    /// Returns a stream that takes nothing yet, and whose client sends nothing.
    pub(in crate::actors::session) fn stream() -> MemoryLink {
        MemoryLink {
            framing: Framing::Stream,
            input: VecDeque::new(),
            is_input_over: false,
            takes: 0,
            written: Vec::new(),
            is_shut: false,
        }
    }
}

impl AsyncWrite for MemoryLink {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let length = bytes.len().min(self.takes);
        if length == 0 {
            return Poll::Pending;
        }
        self.takes -= length;
        self.written.extend_from_slice(&bytes[..length]);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_shut = true;
        Poll::Ready(Ok(()))
    }
}

impl Link for MemoryLink {
    fn framing(&self) -> Framing {
        self.framing
    }

    fn poll_receive(&mut self, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<Received>> {
        let Some((piece, is_end)) = self.input.front_mut() else {
            return match self.is_input_over {
                true => Poll::Ready(Ok(Received::End)),
                false => Poll::Pending,
            };
        };
        let length = piece.len().min(buf.len());
        buf[..length].copy_from_slice(&piece[..length]);
        piece.drain(..length);
        let is_whole = piece.is_empty() && *is_end;
        if piece.is_empty() {
            self.input.pop_front();
        }
        Poll::Ready(Ok(match is_whole && self.framing == Framing::Messages {
            true => Received::Message(length),
            false => Received::Bytes(length),
        }))
    }

    fn poll_send_message(&mut self, _: &mut Context<'_>, message: &[u8]) -> Poll<io::Result<()>> {
        if self.takes == 0 {
            return Poll::Pending;
        }
        self.takes = self.takes.saturating_sub(message.len().max(1));
        let length = message.len() as u64;
        self.written.extend_from_slice(&length.to_be_bytes());
        self.written.extend_from_slice(message);
        Poll::Ready(Ok(()))
    }

    fn half_closes(&self) -> bool {
        true
    }

    fn is_hung_up(&self) -> bool {
        false
    }

    fn evidence(&self) -> Evidence {
        Evidence::Written
    }

    fn best_evidence(&self) -> Evidence {
        Evidence::Read
    }
}

//! The log's one writer.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::Log;
use crate::wire::{Body, Message, Millis, Presence, Seq, ServerFrame, cbor};

/// Frames are put together up to this many bytes; a larger frame stands alone.
const PART: usize = 64 * 1024;

/// What can be broadcast.
#[derive(Debug, Clone, Copy)]
pub enum Broadcast<'a> {
    /// Somebody's message.
    Message {
        /// Who published it.
        from: &'a str,
        /// Text or bytes.
        body: &'a Body<'a>,
    },
    /// A user's first session logged in.
    Joined(&'a str),
    /// A user's last session ended.
    Left(&'a str),
}

/// The log takes nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log is sealed")]
pub struct Sealed;

/// Gives each broadcast its seq, encodes it once and shows it to the readers.
///
/// [`Appender::push`] gathers, [`Appender::commit`] shows: what arrives together
/// is shown together, with one wake-up for all of it.
#[derive(Debug)]
pub struct Appender {
    log: Arc<Log>,
    buffer: Vec<u8>,
    /// Frames in the buffer.
    count: u64,
    last: Seq,
    /// Whether readers can see frames that they were not woken for.
    unrung: bool,
}

impl Appender {
    pub(super) fn new(log: Arc<Log>) -> Self {
        Appender {
            log,
            buffer: Vec::new(),
            count: 0,
            last: Seq::ZERO,
            unrung: false,
        }
    }

    /// The log that it appends to.
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// The seq that was given last, shown or not.
    pub fn last(&self) -> Seq {
        self.last
    }

    /// Gives the broadcast its seq.
    ///
    /// # Errors
    /// The log is sealed.
    pub fn push(&mut self, at: Millis, broadcast: Broadcast<'_>) -> Result<Seq, Sealed> {
        if self.log.is_sealed() {
            return Err(Sealed);
        }
        let seq = self.last.next();
        self.last = seq;
        self.count += 1;
        cbor::encode(&frame(seq, at, broadcast), &mut self.buffer);
        if self.buffer.len() >= PART {
            self.flush();
        }
        Ok(seq)
    }

    /// Shows what was pushed to the readers and wakes them.
    pub fn commit(&mut self) {
        self.flush();
        if std::mem::take(&mut self.unrung) {
            self.log.ring();
        }
    }

    /// Commits, and takes nothing more: the head stays where it is.
    pub fn seal(&mut self) -> Seq {
        self.commit();
        self.log.sealed.store(true, Ordering::Release);
        self.log.ring();
        self.last
    }

    fn flush(&mut self) {
        if self.count == 0 {
            return;
        }
        self.unrung = true;
        let bytes = Bytes::copy_from_slice(&self.buffer);
        self.buffer.clear();
        if self.buffer.capacity() > 2 * PART {
            self.buffer = Vec::new();
        }
        let mut parts = self.log.parts.write();
        parts.push(bytes, std::mem::take(&mut self.count));
        self.log.written.store(parts.end(), Ordering::Release);
        self.log.head.store(parts.head().0, Ordering::Release);
        self.log
            .next_part
            .store(parts.next_number(), Ordering::Release);
    }
}

fn frame<'a>(seq: Seq, at: Millis, broadcast: Broadcast<'a>) -> ServerFrame<'a> {
    match broadcast {
        Broadcast::Message { from, body } => ServerFrame::Message(Message {
            seq,
            from: Cow::Borrowed(from),
            at,
            body: match body {
                Body::Text(text) => Body::text(text),
                Body::Bytes(bytes) => Body::bytes(bytes),
            },
        }),
        Broadcast::Joined(user) => ServerFrame::Joined(presence(seq, at, user)),
        Broadcast::Left(user) => ServerFrame::Left(presence(seq, at, user)),
    }
}

fn presence(seq: Seq, at: Millis, user: &str) -> Presence<'_> {
    Presence {
        seq,
        user: Cow::Borrowed(user),
        at,
    }
}

//! Streams in which every message is as long as every other.

use anyhow::{Result, bail};

use crate::meter::{Count, Grammar, farthest, show};

/// Frames of one length that begin alike; pings may stand between them.
#[derive(Debug, Clone)]
pub struct Uniform {
    length: usize,
    head: Vec<u8>,
    ping: Vec<u8>,
    counts_answers: bool,
}

impl Uniform {
    /// Messages of `length` bytes that begin with `head`.
    pub fn new(length: usize, head: &[u8]) -> Self {
        Uniform {
            length,
            head: head.to_vec(),
            ping: Vec::new(),
            counts_answers: false,
        }
    }

    /// No messages at all, as publishers get from most systems.
    pub fn none() -> Self {
        Uniform::new(1, b"nothing is sent to publishers")
    }

    /// Between them the server may send these bytes, to see whether the client is alive.
    pub fn with_ping(mut self, ping: &[u8]) -> Self {
        self.ping = ping.to_vec();
        self
    }

    /// The frames are a publisher's answers, and no messages.
    pub fn of_answers(mut self) -> Self {
        self.counts_answers = true;
        self
    }

    fn add(&self, frames: usize, count: &mut Count) {
        match self.counts_answers {
            true => count.answers += frames as u64,
            false => count.messages += frames as u64,
        }
    }
}

impl Grammar for Uniform {
    fn leap(&mut self, bytes: &[u8], count: &mut Count) -> usize {
        if !bytes.starts_with(&self.head) {
            return 0;
        }
        let space = bytes.len().saturating_sub(self.head.len()) / self.length;
        let frames = farthest(space, |frames| {
            bytes[frames * self.length..].starts_with(&self.head)
        });
        self.add(frames, count);
        frames * self.length
    }

    fn frame(&mut self, bytes: &[u8], count: &mut Count) -> Result<Option<usize>> {
        if bytes.starts_with(&self.head) {
            self.add(1, count);
            return Ok(Some(self.length));
        }
        if !self.ping.is_empty() && bytes.starts_with(&self.ping) {
            count.pings += 1;
            return Ok(Some(self.ping.len()));
        }
        if self.head.starts_with(bytes) || self.ping.starts_with(bytes) {
            return Ok(None);
        }
        bail!("not a message: {:?}", show(bytes))
    }
}

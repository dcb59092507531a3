//! Frames that differ in a few bytes, and wait to be written.

use crate::load::output::Output;

/// Copies of one frame, each with bytes of its own.
#[derive(Debug)]
pub(super) struct Outbox {
    frame: Vec<u8>,
    waiting: Vec<u8>,
}

impl Outbox {
    /// Creates an outbox for copies of `frame`.
    pub(super) fn new(frame: Vec<u8>) -> Outbox {
        let waiting = Vec::with_capacity(frame.len());
        Outbox { frame, waiting }
    }

    /// Adds a copy, after `change` has written over its bytes.
    pub(super) fn push(&mut self, change: impl FnOnce(&mut [u8])) {
        let begin = self.waiting.len();
        self.waiting.extend_from_slice(&self.frame);
        change(&mut self.waiting[begin..]);
    }
}

impl Output for Outbox {
    fn is_due(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn offer(&self) -> &[u8] {
        &self.waiting
    }

    fn advance(&mut self, written: usize) {
        self.waiting.drain(..written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_copy_has_its_own_bytes_however_they_are_written() {
        let mut outbox = Outbox::new(b"n=?;".to_vec());
        let mut written = Vec::new();
        for number in b'0'..=b'9' {
            outbox.push(|frame| frame[2] = number);
            let offer = outbox.offer();
            let taken = offer[..offer.len().min(3)].to_vec();
            outbox.advance(taken.len());
            written.extend(taken);
        }
        written.extend_from_slice(outbox.offer());
        assert_eq!(written, b"n=0;n=1;n=2;n=3;n=4;n=5;n=6;n=7;n=8;n=9;");
    }
}

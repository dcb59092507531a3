//! The bytes that a client of a run has still to write.

use std::rc::Rc;

use super::OFFER;
use crate::engine::output::{Output, Repeated};

/// One frame again and again, or several in turn. An enum, so that the timed loops call no
/// function through a table.
#[derive(Debug, Clone)]
pub enum Frames {
    /// One frame.
    Same(Repeated),
    /// Several.
    InTurn(InTurn),
}

impl Frames {
    /// Makes `messages` due, counted from the beginning.
    pub fn set_due(&mut self, messages: u64) {
        match self {
            Frames::Same(frames) => frames.set_due(messages),
            Frames::InTurn(frames) => frames.due = messages * frames.frame as u64,
        }
    }

    /// Returns how many messages were written whole.
    pub fn sent(&self) -> u64 {
        match self {
            Frames::Same(frames) => frames.sent(),
            Frames::InTurn(frames) => frames.written / frames.frame as u64,
        }
    }
}

impl Output for Frames {
    fn is_due(&self) -> bool {
        match self {
            Frames::Same(frames) => frames.is_due(),
            Frames::InTurn(frames) => frames.written < frames.due,
        }
    }

    fn offer(&self) -> &[u8] {
        match self {
            Frames::Same(frames) => frames.offer(),
            Frames::InTurn(frames) => frames.offer(),
        }
    }

    fn advance(&mut self, written: usize) {
        match self {
            Frames::Same(frames) => frames.advance(written),
            Frames::InTurn(frames) => frames.written += written as u64,
        }
    }
}

/// Frames of one length in turn, as often as they are due.
#[derive(Debug, Clone)]
pub struct InTurn {
    /// All of them once, or often enough that most writes offer [`OFFER`] bytes.
    rounds: Rc<[u8]>,
    frame: usize,
    /// Bytes, since the beginning.
    written: u64,
    due: u64,
}

impl InTurn {
    /// Creates an output of which nothing is due yet.
    ///
    /// # Panics
    /// If there is no frame, or if their lengths differ.
    pub fn new(frames: &[Vec<u8>]) -> InTurn {
        let frame = frames[0].len();
        assert!(frames.iter().all(|it| it.len() == frame));
        let round = frames.concat();
        let rounds = round.repeat(OFFER.div_ceil(round.len()));
        InTurn {
            rounds: rounds.into(),
            frame,
            written: 0,
            due: 0,
        }
    }

    fn offer(&self) -> &[u8] {
        let begin = (self.written % self.rounds.len() as u64) as usize;
        let left = usize::try_from(self.due - self.written).unwrap_or(usize::MAX);
        let behind = &self.rounds[begin..];
        &behind[..behind.len().min(OFFER).min(left)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_in_turn_cut_anywhere_are_written_in_order() {
        let frames = [b"abc".to_vec(), b"def".to_vec()];
        for most in [1, 2, 5, OFFER] {
            let mut output = Frames::InTurn(InTurn::new(&frames));
            let due = 100_001;
            output.set_due(due);
            let mut written = Vec::new();
            while output.is_due() {
                let offer = output.offer();
                let taken = offer.len().min(most);
                written.extend_from_slice(&offer[..taken]);
                output.advance(taken);
            }
            assert_eq!(output.sent(), due);
            let expected = b"abcdef".repeat(50_001);
            assert_eq!(written, expected[..3 * due as usize]);
        }
    }
}

//! The bytes that a client has still to write.

use std::rc::Rc;

/// The bytes that are still to be written.
pub trait Output {
    /// Returns whether something is left to write.
    fn is_due(&self) -> bool;

    /// Returns what the next write offers to the connection.
    fn offer(&self) -> &[u8];

    /// Notes that the connection took this many of the bytes offered.
    fn advance(&mut self, written: usize);
}

/// How messages become writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// As many bytes in one write as the connection takes.
    Pipelined,
    /// One message, one write.
    Single,
}

/// The same frame, again and again, as often as it is due. Clones share its bytes.
#[derive(Debug, Clone)]
pub struct Repeated {
    /// Enough of them that a write can offer `offer` bytes wherever the last one ended.
    copies: Rc<[u8]>,
    frame: usize,
    offer: usize,
    /// Bytes, since the beginning.
    written: u64,
    due: u64,
}

impl Repeated {
    /// Creates an output of which nothing is due yet. A write offers `offer` bytes at the
    /// most where it may take several frames.
    pub fn new(frame: &[u8], offer: usize, writes: Writes) -> Self {
        let offer = match writes {
            Writes::Pipelined => offer,
            Writes::Single => 0,
        };
        Repeated {
            copies: frame.repeat(offer.div_ceil(frame.len()) + 1).into(),
            frame: frame.len(),
            offer,
            written: 0,
            due: 0,
        }
    }

    /// Makes `messages` due, counted from the beginning.
    pub fn set_due(&mut self, messages: u64) {
        self.due = messages * self.frame as u64;
    }

    /// Returns how many messages were written whole.
    pub fn sent(&self) -> u64 {
        self.written / self.frame as u64
    }
}

impl Output for Repeated {
    fn is_due(&self) -> bool {
        self.written < self.due
    }

    fn offer(&self) -> &[u8] {
        let begin = (self.written - self.sent() * self.frame as u64) as usize;
        let most = match self.offer {
            0 => self.frame - begin,
            offer => offer,
        };
        let left = usize::try_from(self.due - self.written).unwrap_or(usize::MAX);
        &self.copies[begin..begin + most.min(left)]
    }

    fn advance(&mut self, written: usize) {
        self.written += written as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes all that is due, `most` bytes at a time.
    fn write_all(output: &mut Repeated, most: usize) -> Vec<Vec<u8>> {
        let mut writes = Vec::new();
        while output.is_due() {
            let offer = output.offer();
            let taken = offer[..offer.len().min(most)].to_vec();
            output.advance(taken.len());
            writes.push(taken);
        }
        writes
    }

    #[test]
    fn pipelined_output_cut_anywhere_is_whole_frames() {
        for most in [1, 2, 3, 7, 100] {
            let mut output = Repeated::new(b"abc", 8, Writes::Pipelined);
            output.set_due(5);
            let writes = write_all(&mut output, most);
            assert_eq!(writes.concat(), b"abcabcabcabcabc");
            assert!(writes.iter().all(|write| write.len() <= 8));
            assert_eq!(output.sent(), 5);
        }
    }

    #[test]
    fn single_writes_end_with_a_frame() {
        let mut output = Repeated::new(b"abc", 8, Writes::Single);
        output.set_due(2);
        assert_eq!(write_all(&mut output, 100), [b"abc", b"abc"]);
        output.set_due(3);
        assert_eq!(write_all(&mut output, 2), [&b"ab"[..], b"c"]);
    }
}

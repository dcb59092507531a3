//! One publisher's outgoing side.

use std::os::fd::OwnedFd;
use std::rc::Rc;

use anyhow::Result;
use rustix::io::Errno;

/// What a publisher that pipelines offers in one write, at most.
const OFFER: usize = 256 * 1024;

/// How often one writes single frames before others get their turn.
const TURN: usize = 64;

/// How messages become writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// As many bytes in one write as the socket takes.
    Pipelined,
    /// One message, one write.
    Single,
}

/// What a publisher has still to write: the same frame, again and again.
#[derive(Debug)]
pub struct Publisher {
    /// As many whole frames as fill [`OFFER`].
    frames: Rc<[u8]>,
    frame: usize,
    writes: Writes,
    written: u64,
    due: u64,
}

/// As many copies of one frame as a publisher may offer at once.
pub fn repeat(frame: &[u8]) -> Rc<[u8]> {
    frame.repeat(OFFER.div_ceil(frame.len()) + 1).into()
}

impl Publisher {
    /// It owes nothing yet.
    pub fn new(frames: Rc<[u8]>, frame: usize, writes: Writes) -> Self {
        Publisher {
            frames,
            frame,
            writes,
            written: 0,
            due: 0,
        }
    }

    /// From now on it owes `messages` in all.
    pub fn owe(&mut self, messages: u64) {
        self.due = messages * self.frame as u64;
    }

    /// Whether something is left to write.
    pub fn owes(&self) -> bool {
        self.written < self.due
    }

    /// Messages that were written whole.
    pub fn sent(&self) -> u64 {
        self.written / self.frame as u64
    }

    /// Writes what the socket takes, for one turn.
    pub fn write(&mut self, socket: &OwnedFd) -> Result<()> {
        let turns = match self.writes {
            Writes::Pipelined => 1,
            Writes::Single => TURN,
        };
        for _ in 0..turns {
            if !self.owes() {
                break;
            }
            match rustix::io::write(socket, self.offer()) {
                Ok(length) => self.written += length as u64,
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn offer(&self) -> &[u8] {
        let into = (self.written % self.frame as u64) as usize;
        let most = match self.writes {
            Writes::Pipelined => OFFER,
            Writes::Single => self.frame - into,
        };
        let left = usize::try_from(self.due - self.written).unwrap_or(usize::MAX);
        &self.frames[into..into + most.min(left)]
    }
}

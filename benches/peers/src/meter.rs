//! Counts, in a stream of bytes, the messages that have arrived whole.
//!
//! The same for every system: bytes are read into one buffer that all connections
//! share, and most are never looked at. A [`Grammar`] leaps over as many equal
//! frames as the bytes can hold and looks only where the leap lands; where the
//! landing is not what it must be it leaps less far, down to frame by frame.

use anyhow::{Result, bail, ensure};

use crate::engine::client::Decoder;
use crate::engine::error::Error;

/// No frame needs more bytes than this to be recognised.
const LONGEST_HEAD: usize = 256;

/// The messages that have arrived on one connection.
#[derive(Debug, Clone, Copy, Default)]
pub struct Count {
    /// Messages, or replies: what the run counts.
    pub messages: u64,
    /// Answers to the connection's own publishes.
    pub answers: u64,
    /// Messages that the server said it has dropped.
    pub lost: u64,
    /// `PING`s of the server, which want a `PONG`.
    pub pings: u64,
}

/// How one system's frames follow one another.
pub trait Grammar {
    /// Counts the messages at the front of `bytes`, which begins with a frame, that
    /// need not be looked at one by one, and returns how many bytes they take.
    fn leap(&mut self, bytes: &[u8], count: &mut Count) -> usize;

    /// Counts the frame that `bytes` begins with, and returns its length; `None` if
    /// there are too few bytes to tell, and then counts nothing.
    fn frame(&mut self, bytes: &[u8], count: &mut Count) -> Result<Option<usize>>;
}

/// One connection's position in its stream.
#[derive(Debug)]
pub struct Meter<G> {
    grammar: G,
    count: Count,
    /// Bytes of the current frame that are still to come.
    skip: usize,
    /// The beginning of a frame, too short yet to tell which.
    head: Vec<u8>,
}

impl<G: Grammar> Meter<G> {
    /// Starts at the beginning of a frame.
    pub fn new(grammar: G) -> Self {
        Meter {
            grammar,
            count: Count::default(),
            skip: 0,
            head: Vec::new(),
        }
    }

    /// Returns what has arrived. Its last frame is whole if [`Meter::is_even`].
    pub fn count(&self) -> Count {
        self.count
    }

    /// Returns whether the stream stands between two frames.
    pub fn is_even(&self) -> bool {
        self.skip == 0 && self.head.is_empty()
    }

    /// Returns how many messages have come with their last byte.
    pub fn whole(&self) -> u64 {
        self.count.messages - u64::from(self.skip > 0)
    }

    /// Returns the index of the first message that has not come with its last byte. Lost
    /// messages count as well.
    pub fn passed(&self) -> u64 {
        self.whole() + self.count.lost
    }

    /// Takes what one read has brought.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<()> {
        loop {
            let passed = self.skip.min(bytes.len());
            self.skip -= passed;
            bytes = &bytes[passed..];
            if bytes.is_empty() {
                return Ok(());
            }
            if !self.head.is_empty() {
                bytes = self.finish_head(bytes)?;
                continue;
            }
            let leapt = self.grammar.leap(bytes, &mut self.count);
            bytes = &bytes[leapt..];
            if bytes.is_empty() {
                return Ok(());
            }
            match self.grammar.frame(bytes, &mut self.count)? {
                Some(length) => {
                    ensure!(length > 0, "a frame of no bytes");
                    self.skip = length;
                }
                None if bytes.len() < LONGEST_HEAD => {
                    self.head.extend_from_slice(bytes);
                    return Ok(());
                }
                None => bail!("no frame: {:?}", show(bytes)),
            }
        }
    }

    /// Completes a head that was cut by the end of a read.
    fn finish_head<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8]> {
        let had = self.head.len();
        let taken = bytes.len().min(LONGEST_HEAD - had);
        self.head.extend_from_slice(&bytes[..taken]);
        match self.grammar.frame(&self.head, &mut self.count)? {
            Some(length) => {
                // The bytes held back before were too short to be a whole message.
                ensure!(length > had, "a frame shorter than its head");
                self.skip = length - had;
                self.head.clear();
                Ok(bytes)
            }
            None if self.head.len() < LONGEST_HEAD => Ok(&bytes[taken..]),
            None => bail!("no frame: {:?}", show(&self.head)),
        }
    }
}

impl<G: Grammar> Decoder for Meter<G> {
    fn decode(&mut self, bytes: &[u8]) -> std::result::Result<(), Error> {
        let fed = self.feed(bytes);
        fed.map_err(|error| Error::Protocol(format!("{error:#}")))
    }
}

/// Returns how many frames to leap over: the most, up to `frames`, after which `lands`
/// finds a frame. Tries `frames`, half of it, and so on.
pub fn farthest(frames: usize, mut lands: impl FnMut(usize) -> bool) -> usize {
    let mut frames = frames;
    while frames > 0 && !lands(frames) {
        frames /= 2;
    }
    frames
}

/// Returns the beginning of some bytes, for an error.
pub fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(64)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::uniform::Uniform;

    fn stream() -> Vec<u8> {
        let mut bytes = Vec::new();
        for index in 0..500 {
            bytes.extend_from_slice(b"MSG xyz;");
            if index % 97 == 3 {
                bytes.extend_from_slice(b"PING;");
            }
        }
        bytes
    }

    #[test]
    fn frame_count_is_the_same_at_any_read_boundary() {
        let bytes = stream();
        for cut in [1, 2, 3, 5, 7, 8, 9, 64, 1000, bytes.len()] {
            let mut meter = Meter::new(Uniform::new(8, b"MSG ").with_ping(b"PING;"));
            for read in bytes.chunks(cut) {
                meter.feed(read).expect("these are frames");
            }
            assert_eq!(meter.count().messages, 500, "cut at {cut}");
            assert_eq!(meter.count().pings, 6, "cut at {cut}");
            assert!(meter.is_even());
        }
    }

    #[test]
    fn bytes_that_are_no_frame_are_an_error() {
        let mut meter = Meter::new(Uniform::new(8, b"MSG "));
        meter.feed(b"MSG xyz;").expect("a frame");
        assert!(meter.feed(b"-ERR 'slow'").is_err());
    }
}

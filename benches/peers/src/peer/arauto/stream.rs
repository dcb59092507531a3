//! The frames that a reader gets, counted.

use anyhow::{Result, bail, ensure};
use arauto::wire::{Gap, ServerFrame, cbor};

use super::{decode, message_to};
use crate::meter::{Count, Grammar, farthest};

/// A message's frame up to its seq: prefix, `message`, `seq`.
const BEFORE_SEQ: usize = 4 + 1 + 8 + 1 + 4;

/// The longest head of a message: with a seq of nine bytes.
const HEAD: usize = BEFORE_SEQ + 9;

/// A session's stream: `message` frames whose seq goes up by one, and between them
/// the server's other frames. Where the session has a filter, seqs rise by more.
#[derive(Debug)]
pub struct Stream {
    size: usize,
    topic: Option<String>,
    /// Where the session has a filter: by how much seqs rise if nothing but messages to topics is
    /// published.
    every: Option<u64>,
    /// The seq that the next message has; with a filter it may be another one.
    next: u64,
    /// The last seq that was sent or passed.
    last: u64,
    /// The last seq that is encoded in as many bytes as `next`.
    same_until: u64,
    /// The length of a message's frame up to there.
    length: usize,
    /// Its first bytes.
    before_seq: [u8; BEFORE_SEQ],
}

impl Stream {
    /// Begins after `seq`, with bodies of `size` bytes.
    pub fn after(seq: u64, size: usize) -> Self {
        let mut stream = Stream {
            size,
            topic: None,
            every: None,
            next: seq + 1,
            last: seq,
            same_until: 0,
            length: 0,
            before_seq: [0; BEFORE_SEQ],
        };
        stream.enter_width();
        stream
    }

    /// Lets messages have this topic, or others of the same length.
    pub fn with_topic(mut self, topic: String) -> Self {
        self.topic = Some(topic);
        self.enter_width();
        self
    }

    /// Lets the session have a filter that one in so many messages matches, at regular distances.
    pub fn of_every(mut self, messages: u64) -> Self {
        self.every = Some(messages);
        self
    }

    /// Notes how frames look from `next` on.
    fn enter_width(&mut self) {
        let sample = message_to(self.next, self.size, self.topic.as_deref());
        self.length = sample.len();
        self.before_seq.copy_from_slice(&sample[..BEFORE_SEQ]);
        self.same_until = [23, 0xff, 0xffff, 0xffff_ffff, u64::MAX]
            .into_iter()
            .find(|last| *last >= self.next)
            .unwrap_or(u64::MAX);
    }

    /// Returns the distance of two messages.
    fn step(&self) -> u64 {
        self.every.unwrap_or(1)
    }

    fn advance(&mut self, frames: u64) {
        if frames == 0 {
            return;
        }
        self.last = self.next + (frames - 1) * self.step();
        self.next = self.last + self.step();
        if self.next > self.same_until {
            self.enter_width();
        }
    }

    /// Expects the message that `bytes` begin with, whose seq is above the last one. In a session
    /// with a filter that is all that is known of it.
    fn expect_seq_of(&mut self, bytes: &[u8]) {
        let seq = bytes.get(BEFORE_SEQ..).and_then(uint);
        if let Some(seq) = seq.filter(|seq| *seq > self.last && *seq != self.next) {
            self.next = seq;
            self.enter_width();
        }
    }

    fn is_message(&self, bytes: &[u8], seq: u64) -> bool {
        bytes.starts_with(&self.before_seq) && uint(&bytes[BEFORE_SEQ..]) == Some(seq)
    }
}

impl Grammar for Stream {
    fn leap(&mut self, bytes: &[u8], count: &mut Count) -> usize {
        if bytes.len() < HEAD + self.length || !self.is_message(bytes, self.next) {
            return 0;
        }
        let space = (bytes.len() - HEAD) / self.length;
        let alike = (self.same_until - self.next) / self.step();
        let alike = usize::try_from(alike).unwrap_or(usize::MAX);
        // If the frame after the leap has the right seq, exactly the messages between
        // were passed, as nothing else has space there.
        let frames = farthest(space.min(alike), |frames| {
            let seq = self.next + frames as u64 * self.step();
            self.is_message(&bytes[frames * self.length..], seq)
        });
        let length = frames * self.length;
        count.messages += frames as u64;
        self.advance(frames as u64);
        length
    }

    fn frame(&mut self, bytes: &[u8], count: &mut Count) -> Result<Option<usize>> {
        let Some(length) = cbor::announced_length(bytes) else {
            return Ok(None);
        };
        let total = cbor::PREFIX + length;
        if bytes.len() < total.min(HEAD) {
            return Ok(None);
        }
        // The length in front differs with the width of the seq.
        let is_message =
            bytes.get(cbor::PREFIX..BEFORE_SEQ) == Some(&self.before_seq[cbor::PREFIX..]);
        if self.every.is_some() && is_message {
            self.expect_seq_of(bytes);
        }
        if self.is_message(bytes, self.next) {
            ensure!(total == self.length, "a message of {total} bytes");
            count.messages += 1;
            self.advance(1);
            return Ok(Some(total));
        }
        if bytes[cbor::PREFIX..].starts_with(b"\xa1\x69published") {
            count.answers += 1;
            return Ok(Some(total));
        }
        let Some(whole) = bytes.get(..total) else {
            return Ok(None);
        };
        self.rare(decode(whole)?, count)?;
        Ok(Some(total))
    }
}

impl Stream {
    fn rare(&mut self, frame: ServerFrame<'_>, count: &mut Count) -> Result<()> {
        match frame {
            ServerFrame::Passed(passed) if self.every.is_some() => {
                ensure!(passed.to.0 > self.last, "back to {}", passed.to);
                self.last = passed.to.0;
            }
            ServerFrame::Joined(presence) | ServerFrame::Left(presence) if self.every.is_none() => {
                ensure!(presence.seq.0 == self.next, "a hole before {presence:?}");
                self.advance(1);
            }
            ServerFrame::Gap(Gap { from, to }) if self.every.is_none() => {
                ensure!(from.0 == self.next, "a hole before the gap from {from}");
                count.lost += to.0 - from.0 + 1;
                self.advance(to.0 - from.0 + 1);
            }
            other => bail!("not expected with seq {}: {other:?}", self.next),
        }
        Ok(())
    }
}

/// Decodes the CBOR unsigned integer that `bytes` begin with.
fn uint(bytes: &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    Some(match first {
        0..=23 => u64::from(first),
        0x18 => u64::from(*rest.first()?),
        0x19 => u64::from(u16::from_be_bytes(*rest.first_chunk()?)),
        0x1a => u64::from(u32::from_be_bytes(*rest.first_chunk()?)),
        0x1b => u64::from_be_bytes(*rest.first_chunk()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::ID;
    use super::super::message;
    use super::*;
    use crate::meter::Meter;
    use arauto::wire::Seq;

    fn published(seq: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let published = arauto::wire::Published::new(ID, Seq(seq));
        cbor::encode(&ServerFrame::Published(published), &mut bytes);
        bytes
    }

    #[test]
    fn frame_count_covers_every_seq_width_and_answers() {
        for (first, size) in [(1, 16), (10, 128), (65_000, 128), (0xffff_ff00, 16)] {
            let mut bytes = Vec::new();
            for seq in first..first + 1500 {
                bytes.extend(message(seq, size));
                if seq % 5 == 0 {
                    bytes.extend(published(seq));
                }
            }
            for cut in [1, 13, 177, 5000, bytes.len()] {
                let mut meter = Meter::new(Stream::after(first - 1, size));
                for read in bytes.chunks(cut) {
                    meter.feed(read).expect("these are frames");
                }
                assert_eq!(meter.count().messages, 1500, "cut at {cut}");
                assert_eq!(meter.count().answers, 300, "cut at {cut}");
                assert!(meter.is_even());
            }
        }
    }

    #[test]
    fn filtered_stream_is_counted_at_any_read_boundary() {
        let topic = || "a/00007/c".to_owned();
        for (first, every) in [(1, 1), (3, 10), (200, 1000), (64_000, 7)] {
            let mut bytes = Vec::new();
            let mut seq = first;
            for number in 0..500 {
                bytes.extend(message_to(seq, 128, Some(&topic())));
                if number % 50 == 49 {
                    let passed = arauto::wire::Passed { to: Seq(seq + 1) };
                    cbor::encode(&ServerFrame::Passed(passed), &mut bytes);
                    seq += 3; // something else was published
                }
                seq += every;
            }
            for cut in [1, 13, 177, 5000, bytes.len()] {
                let stream = Stream::after(first - 1, 128).with_topic(topic());
                let mut meter = Meter::new(stream.of_every(every));
                for read in bytes.chunks(cut) {
                    meter.feed(read).expect("these are frames");
                }
                assert_eq!(meter.count().messages, 500, "{every}, cut at {cut}");
                assert!(meter.is_even());
            }
            let mut meter = Meter::new(Stream::after(seq, 128).with_topic(topic()).of_every(every));
            let old = message_to(first, 128, Some(&topic()));
            assert!(meter.feed(&old).is_err(), "seqs rise");
        }
    }

    #[test]
    fn seq_hole_is_an_error_and_gap_counts_as_loss() {
        let mut meter = Meter::new(Stream::after(4, 16));
        let mut gap = Vec::new();
        let frame = Gap {
            from: Seq(5),
            to: Seq(8),
        };
        cbor::encode(&ServerFrame::Gap(frame), &mut gap);
        meter.feed(&gap).expect("a gap");
        meter.feed(&message(9, 16)).expect("what follows it");
        assert_eq!((meter.count().lost, meter.count().messages), (4, 1));
        assert!(meter.feed(&message(11, 16)).is_err());
    }
}

//! arauto's side of the wire: one account, any number of sessions.

use std::borrow::Cow;
use std::io::{Read, Write};

use anyhow::{Context, Result, bail, ensure};
use arauto::wire::{
    Body, BodyFrame, ClientFrame, Decoded, Gap, Login, Message, Millis, Seq, ServerFrame, cbor,
};

use crate::meter::{Count, Grammar, farthest, show};
use crate::net::Socket;

/// All sessions are of this user: only the first login of a name hashes a password, and
/// no run measures that.
const USER: &str = "ana";
const PASSWORD: &str = "segredo";

/// As wide on the wire as a real client's ids are after a while.
const ID: u64 = 1_000_000;

/// A message's frame up to its seq: prefix, `message`, `seq`.
const BEFORE_SEQ: usize = 4 + 1 + 8 + 1 + 4;

/// The longest head of a message: with a seq of nine bytes.
const HEAD: usize = BEFORE_SEQ + 9;

/// Logs in, and returns the seq after which this session's broadcasts begin.
pub fn log_in(socket: &mut Socket) -> Result<u64> {
    let mut login = Vec::new();
    let frame = ClientFrame::Login(Box::new(Login {
        id: 1,
        user: Cow::Borrowed(USER),
        password: Cow::Borrowed(PASSWORD),
        resume: None,
        options: None,
    }));
    cbor::encode(&frame, &mut login);
    socket.write_all(&login)?;
    loop {
        let bytes = read_frame(socket)?;
        match decode(&bytes)? {
            ServerFrame::Welcome(_) => {}
            ServerFrame::LoggedIn(logged_in) => return Ok(logged_in.seq.0),
            other => bail!("instead of logged_in: {other:?}"),
        }
    }
}

/// Waits for the first frame of a session.
pub fn welcome(socket: &mut Socket) -> Result<()> {
    match decode(&read_frame(socket)?)? {
        ServerFrame::Welcome(_) => Ok(()),
        other => bail!("instead of welcome: {other:?}"),
    }
}

fn read_frame(socket: &mut Socket) -> Result<Vec<u8>> {
    let mut bytes = vec![0; cbor::PREFIX];
    socket.read_exact(&mut bytes)?;
    let length = cbor::announced_length(&bytes).context("no prefix")?;
    bytes.resize(cbor::PREFIX + length, 0);
    socket.read_exact(&mut bytes[cbor::PREFIX..])?;
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<ServerFrame<'_>> {
    match cbor::decode_server(bytes, usize::MAX)? {
        Decoded::Frame(frame, _) => Ok(frame),
        _ => bail!("half a frame: {:?}", show(bytes)),
    }
}

/// Encodes a frame that publishes `body`.
pub fn publish(body: &str) -> Vec<u8> {
    encode_client(&ClientFrame::Publish(asking(body).into()))
}

/// Encodes a request with `body`.
pub fn request(body: &str) -> Vec<u8> {
    encode_client(&ClientFrame::Request(asking(body)))
}

/// Encodes the reply to a request with `body`.
pub fn reply(body: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    cbor::encode(&ServerFrame::Reply(asking(body)), &mut bytes);
    bytes
}

fn asking(body: &str) -> BodyFrame<'_> {
    BodyFrame {
        id: ID,
        body: Body::text(body),
    }
}

fn encode_client(frame: &ClientFrame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    cbor::encode(frame, &mut bytes);
    bytes
}

/// Encodes the frame in which a reader gets a body of `size` bytes as number `seq`.
pub fn message(seq: u64, size: usize) -> Vec<u8> {
    let body = "x".repeat(size);
    let mut bytes = Vec::new();
    let message = Message::new(Seq(seq), USER, Millis::now(), Body::text(&body));
    cbor::encode(&ServerFrame::Message(message), &mut bytes);
    bytes
}

/// A session's stream: `message` frames whose seq goes up by one, and between them
/// the server's other frames.
#[derive(Debug)]
pub struct Stream {
    size: usize,
    next: u64,
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
            next: seq + 1,
            same_until: 0,
            length: 0,
            before_seq: [0; BEFORE_SEQ],
        };
        stream.enter_width();
        stream
    }

    /// Notes how frames look from `next` on.
    fn enter_width(&mut self) {
        let sample = message(self.next, self.size);
        self.length = sample.len();
        self.before_seq.copy_from_slice(&sample[..BEFORE_SEQ]);
        self.same_until = [23, 0xff, 0xffff, 0xffff_ffff, u64::MAX]
            .into_iter()
            .find(|last| *last >= self.next)
            .unwrap_or(u64::MAX);
    }

    fn advance(&mut self, frames: u64) {
        self.next += frames;
        if self.next > self.same_until {
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
        let alike = usize::try_from(self.same_until - self.next).unwrap_or(usize::MAX);
        // If the frame after the leap has the right seq, exactly the messages between
        // were passed, as nothing else has space there.
        let frames = farthest(space.min(alike), |frames| {
            self.is_message(&bytes[frames * self.length..], self.next + frames as u64)
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
            ServerFrame::Joined(presence) | ServerFrame::Left(presence) => {
                ensure!(presence.seq.0 == self.next, "a hole before {presence:?}");
                self.advance(1);
            }
            ServerFrame::Gap(Gap { from, to }) => {
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
    use super::*;
    use crate::meter::Meter;

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

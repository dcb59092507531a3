//! Hand-written codecs for the most frequent frames.
//!
//! They write the same bytes as serde_cbor and read the same values; tests compare the two. A
//! reader here returns `None` for every input that does not have the usual form, whether it is
//! valid or not, and its caller then decodes with `shape` and serde_cbor.

use std::str;

use bytes::BufMut;
use smallvec::SmallVec;

use super::head::{BYTES, LONGEST, TEXT, UNSIGNED, head, put_head, put_string, take_head};
use super::prefix::PREFIX;
use crate::wire::{Body, BodyFrame, ClientFrame, LONGEST_NAME, Millis, Published, Seq};

/// Appends a body as a CBOR item.
pub fn encode_body(body: &Body<'_>, out: &mut impl BufMut) {
    let major = match body {
        Body::Text(_) => TEXT,
        Body::Bytes(_) => BYTES,
    };
    put_string(major, body.as_bytes(), out);
}

/// The bytes before the first number of each frame: the frame's name, the head of its map with
/// 4, 2 and 2 entries, and the first key.
pub(super) const MESSAGE: &[u8; 14] = b"\xa1\x67message\xa4\x63seq";
pub(super) const PUBLISHED: &[u8; 15] = b"\xa1\x69published\xa2\x62id";
pub(super) const REPLY: &[u8; 11] = b"\xa1\x65reply\xa2\x62id";

/// The bytes between the two numbers of a `published`.
pub(super) const SEQ: &[u8; 4] = b"\x63seq";

/// The length of a message's frame up to the number of its seq.
const FRONT: usize = PREFIX + MESSAGE.len();

/// The most bytes of a message's frame without its prefix and its body: with the longest user
/// name and the longest form of both numbers.
const AROUND_BODY: usize = MESSAGE.len()
    + LONGEST                       // seq
    + 5 + 2 + LONGEST_NAME          // from
    + 3 + LONGEST                   // at
    + 5; // the key of the body

/// Returns the length in bytes of the longest body that fits into a message frame of
/// `max_frame` bytes, whatever the user name, the seq and the time are.
pub const fn max_body(max_frame: usize) -> usize {
    let available = max_frame.saturating_sub(AROUND_BODY);
    // Pairs of a head's width and the longest string with a head of that width.
    let heads = [
        (9, usize::MAX),
        (5, u32::MAX as usize),
        (3, 0xffff),
        (2, 0xff),
        (1, 23),
    ];
    let mut index = 0;
    while index + 1 < heads.len() {
        let (width, longest) = heads[index];
        let body = available.saturating_sub(width);
        let longest = if body < longest { body } else { longest };
        if longest > heads[index + 1].1 {
            return longest;
        }
        index += 1;
    }
    let body = available.saturating_sub(1);
    if body < 23 { body } else { 23 }
}

/// Encodes the frames of messages that have the same sender and the same time.
#[derive(Debug, Clone)]
pub struct MessageFrames {
    /// From the key `from` to the key `body`.
    middle: SmallVec<[u8; 128]>,
}

impl MessageFrames {
    /// Encodes the part that all frames of messages from `from` at `at` share.
    pub fn new(from: &str, at: Millis) -> Self {
        let mut middle = Vec::with_capacity(128);
        middle.put_slice(b"\x64from");
        put_string(TEXT, from.as_bytes(), &mut middle);
        middle.put_slice(b"\x62at");
        put_head(UNSIGNED, at.0, &mut middle);
        middle.put_slice(b"\x64body");
        MessageFrames {
            middle: SmallVec::from_vec(middle),
        }
    }

    /// Returns the frame's length in bytes, its prefix included. `body` is a CBOR item.
    pub fn length(&self, seq: Seq, body: &[u8]) -> usize {
        let (_, seq) = head(UNSIGNED, seq.0);
        FRONT + seq + self.middle.len() + body.len()
    }

    /// Appends the frame; `body` is a CBOR item, see [`encode_body`].
    ///
    /// # Panics
    /// The frame is of 4 GiB or more.
    #[inline]
    pub fn encode(&self, seq: Seq, body: &[u8], out: &mut impl BufMut) {
        // Assembled in an array first, because copies of a fixed length need no call of memcpy.
        let (number, width) = head(UNSIGNED, seq.0);
        let front = FRONT + width;
        let item = front - PREFIX + self.middle.len() + body.len();
        let item = u32::try_from(item).expect("a frame is below 4 GiB");
        let mut bytes = [0; FRONT + LONGEST];
        bytes[..PREFIX].copy_from_slice(&item.to_be_bytes());
        bytes[PREFIX..FRONT].copy_from_slice(MESSAGE);
        bytes[FRONT..].copy_from_slice(&number);
        out.put_slice(&bytes[..front]);
        out.put_slice(&self.middle);
        out.put_slice(body);
    }
}

/// The most bytes of a `published`.
pub(super) const LONGEST_PUBLISHED: usize =
    PREFIX + PUBLISHED.len() + LONGEST + SEQ.len() + LONGEST;

/// Appends a `published`, with its prefix.
pub(super) fn published(frame: &Published, out: &mut Vec<u8>) {
    let (id, id_width) = head(UNSIGNED, frame.id);
    let (seq, seq_width) = head(UNSIGNED, frame.seq.0);
    let mut bytes = [0; LONGEST_PUBLISHED];
    let mut end = PREFIX + PUBLISHED.len();
    bytes[PREFIX..end].copy_from_slice(PUBLISHED);
    bytes[end..end + LONGEST].copy_from_slice(&id);
    end += id_width;
    bytes[end..end + SEQ.len()].copy_from_slice(SEQ);
    end += SEQ.len();
    bytes[end..end + LONGEST].copy_from_slice(&seq);
    end += seq_width;
    bytes[PREFIX - 1] = (end - PREFIX) as u8; // at most LONGEST_PUBLISHED, which fits a byte
    out.extend_from_slice(&bytes[..end]);
}

/// Appends a `reply`, with its prefix.
///
/// # Panics
/// The frame is of 4 GiB or more.
pub(super) fn reply(frame: &BodyFrame<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    out.put_slice(&[0; PREFIX]);
    out.put_slice(REPLY);
    put_head(UNSIGNED, frame.id, out);
    out.put_slice(b"\x64body");
    encode_body(&frame.body, out);
    let item = u32::try_from(out.len() - start - PREFIX).expect("a frame is below 4 GiB");
    out[start..start + PREFIX].copy_from_slice(&item.to_be_bytes());
}

/// Decodes a `publish` or a `request` in its usual form: definite lengths, and the two keys `id`
/// and `body` in this order. Returns `None` for any other input.
#[inline]
pub(super) fn body_frame(item: &[u8]) -> Option<ClientFrame<'_>> {
    let (name, rest) = item.split_at_checked(10)?;
    let rest = rest.strip_prefix(b"\x62id")?;
    let (UNSIGNED, id, rest) = take_head(rest)? else {
        return None;
    };
    let rest = rest.strip_prefix(b"\x64body")?;
    let (major, length, body) = take_head(rest)?;
    if body.len() as u64 != length {
        return None;
    }
    let body = match major {
        TEXT => Body::text(str::from_utf8(body).ok()?),
        BYTES => Body::bytes(body),
        _ => return None,
    };
    match name {
        b"\xa1\x67publish\xa2" => Some(ClientFrame::Publish(BodyFrame { id, body })),
        b"\xa1\x67request\xa2" => Some(ClientFrame::Request(BodyFrame { id, body })),
        _ => None,
    }
}

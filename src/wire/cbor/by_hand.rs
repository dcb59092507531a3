//! Hand-written codecs for the most frequent frames.
//!
//! They write the same bytes as serde_cbor and read the same values; tests compare the two. A
//! reader here returns `None` for every input that does not have the usual form, whether it is
//! valid or not, and its caller then decodes with `shape` and serde_cbor.

use std::borrow::Cow;
use std::ops::Range;
use std::str;

use bytes::BufMut;
use smallvec::SmallVec;

use super::head::{BYTES, LONGEST, MAP, TEXT, UNSIGNED, head, put_head, put_string, take_head};
use super::prefix::PREFIX;
use crate::topic::LONGEST_TOPIC;
use crate::wire::{
    Body, ClientFrame, LONGEST_HEADERS, LONGEST_NAME, MOST_HEADERS, Millis, Publish, Published,
    ReplyFrame, Request, Seq,
};

/// Appends a body as a CBOR item.
pub fn encode_body(body: &Body<'_>, out: &mut impl BufMut) {
    let major = match body {
        Body::Text(_) => TEXT,
        Body::Bytes(_) => BYTES,
    };
    put_string(major, body.as_bytes(), out);
}

/// The CBOR item of the empty text, which no other item begins with.
pub const EMPTY_TEXT: u8 = 0x60;

/// The keys behind a message's body, as [`encode_content`] has written them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContentKeys {
    /// How many there are.
    pub count: u8,
    /// Where the topic's text is in the buffer.
    pub topic: Option<Range<usize>>,
    /// Where the text of `to` is in the buffer.
    pub to: Option<Range<usize>>,
}

/// Appends what a message's frame has from the body on: the body, the topic, the headers, `keep`
/// and `to`. Returns the keys behind the body.
///
/// `keep` and `to` are written as the publish has them; the caller has checked them.
pub fn encode_content(publish: &Publish<'_>, out: &mut Vec<u8>) -> ContentKeys {
    encode_body(&publish.body, out);
    let mut keys = ContentKeys::default();
    if let Some(topic) = &publish.topic {
        out.put_slice(TOPIC);
        put_string(TEXT, topic.as_bytes(), out);
        keys.topic = Some(out.len() - topic.len()..out.len());
        keys.count += 1;
    }
    let Some(options) = &publish.options else {
        return keys;
    };
    if let Some(headers) = &options.headers {
        out.put_slice(HEADERS);
        put_head(MAP, headers.len() as u64, out);
        for (name, value) in headers.iter() {
            put_string(TEXT, name.as_bytes(), out);
            put_string(TEXT, value.as_bytes(), out);
        }
        keys.count += 1;
    }
    if options.keep == Some(true) {
        out.put_slice(KEEP);
        keys.count += 1;
    }
    if let Some(to) = &options.to {
        out.put_slice(TO);
        put_string(TEXT, to.as_bytes(), out);
        keys.to = Some(out.len() - to.len()..out.len());
        keys.count += 1;
    }
    keys
}

/// The bytes before the first number of each frame: the frame's name, the head of its map with
/// 4, 2 and 2 entries, and the first key.
pub(super) const MESSAGE: &[u8; 14] = b"\xa1\x67message\xa4\x63seq";
pub(super) const PUBLISHED: &[u8; 15] = b"\xa1\x69published\xa2\x62id";
pub(super) const REPLY: &[u8; 11] = b"\xa1\x65reply\xa2\x62id";

/// The bytes between the two numbers of a `published`.
pub(super) const SEQ: &[u8; 4] = b"\x63seq";

/// The place in [`MESSAGE`] of the head of the map, and that head without keys behind the body.
const MAP_AT: usize = 9;
const FOUR_KEYS: u8 = 0xa4;

/// The most keys that a message has behind its body.
pub(super) const MOST_KEYS: u8 = 4;

/// The keys behind a message's body. `keep` is always true.
pub(super) const TOPIC: &[u8] = b"\x65topic";
pub(super) const HEADERS: &[u8] = b"\x67headers";
pub(super) const KEEP: &[u8] = b"\x64keep\xf5";
pub(super) const TO: &[u8] = b"\x62to";

/// Splits off the bytes before the seq of a message, with any number of keys behind its body.
/// Returns that number and the bytes from the seq on; `None` if it is not the start of a message.
#[inline]
pub(super) fn take_message(item: &[u8]) -> Option<(u8, &[u8])> {
    let (start, rest) = item.split_first_chunk::<{ MESSAGE.len() }>()?;
    if start == MESSAGE {
        return Some((0, rest));
    }
    let keys = start[MAP_AT].wrapping_sub(FOUR_KEYS);
    let is_message = start[..MAP_AT] == MESSAGE[..MAP_AT]
        && start[MAP_AT + 1..] == MESSAGE[MAP_AT + 1..]
        && keys <= MOST_KEYS;
    is_message.then_some((keys, rest))
}

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
    longest_body(max_frame.saturating_sub(AROUND_BODY))
}

/// The most bytes of the keys behind a message's body.
const BEHIND_BODY: usize = TOPIC.len()
    + 3
    + LONGEST_TOPIC
    + HEADERS.len()
    + 2
    + 2 * MOST_HEADERS * 3
    + LONGEST_HEADERS
    + KEEP.len()
    + TO.len()
    + 2
    + LONGEST_NAME;

/// As [`max_body`], whatever the topic, the headers and the only receiver are besides.
pub const fn max_body_with_topics(max_frame: usize) -> usize {
    longest_body(max_frame.saturating_sub(AROUND_BODY + BEHIND_BODY))
}

/// Whether a publish as a message fits into a frame of `max_frame` bytes, whatever the user name, the
/// seq and the time are.
pub fn message_fits(publish: &Publish<'_>, max_frame: usize) -> bool {
    let mut content = Vec::new();
    encode_content(publish, &mut content);
    AROUND_BODY + content.len() <= max_frame
}

/// Returns the length of the longest string whose item has at most so many bytes.
const fn longest_body(available: usize) -> usize {
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

    /// Returns the frame's length in bytes, its prefix included. `body` is a CBOR item, or the
    /// content that [`encode_content`] writes.
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
        self.encode_with_keys(seq, body, 0, out);
    }

    /// Appends the frame of a message with `keys` keys behind its body; `content` and `keys` are
    /// those of [`encode_content`].
    ///
    /// # Panics
    /// The frame is of 4 GiB or more.
    #[inline]
    pub fn encode_with_keys(&self, seq: Seq, content: &[u8], keys: u8, out: &mut impl BufMut) {
        debug_assert!(keys <= MOST_KEYS);
        // Assembled in an array first, because copies of a fixed length need no call of memcpy.
        let (number, width) = head(UNSIGNED, seq.0);
        let front = FRONT + width;
        let item = front - PREFIX + self.middle.len() + content.len();
        let item = u32::try_from(item).expect("a frame is below 4 GiB");
        let mut bytes = [0; FRONT + LONGEST];
        bytes[..PREFIX].copy_from_slice(&item.to_be_bytes());
        bytes[PREFIX..FRONT].copy_from_slice(MESSAGE);
        bytes[PREFIX + MAP_AT] += keys;
        bytes[FRONT..].copy_from_slice(&number);
        out.put_slice(&bytes[..front]);
        out.put_slice(&self.middle);
        out.put_slice(content);
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

/// Appends a `reply` of a handler, with its prefix.
///
/// # Panics
/// The frame is of 4 GiB or more.
pub(super) fn reply(frame: &ReplyFrame<'_>, out: &mut Vec<u8>) {
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
/// and `body` in this order, of a publish also `topic` behind them. Returns `None` for any other
/// input.
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
        return publish_with_topic(name, id, major, length, body);
    }
    let body = body_of(major, body)?;
    match name {
        b"\xa1\x67publish\xa2" => Some(ClientFrame::Publish(Publish::new(id, body))),
        b"\xa1\x67request\xa2" => Some(ClientFrame::Request(Request::new(id, body))),
        _ => None,
    }
}

#[inline]
fn body_of(major: u8, body: &[u8]) -> Option<Body<'_>> {
    match major {
        TEXT => Some(Body::text(str::from_utf8(body).ok()?)),
        BYTES => Some(Body::bytes(body)),
        _ => None,
    }
}

/// Decodes the rest of a `publish` whose last key is `topic`. `rest` begins behind the head of the
/// body.
#[cold]
#[inline(never)]
fn publish_with_topic<'a>(
    name: &[u8],
    id: u64,
    major: u8,
    length: u64,
    rest: &'a [u8],
) -> Option<ClientFrame<'a>> {
    if name != b"\xa1\x67publish\xa3" {
        return None;
    }
    let (body, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let (TEXT, length, topic) = take_head(rest.strip_prefix(TOPIC)?)? else {
        return None;
    };
    if topic.len() as u64 != length {
        return None;
    }
    let mut publish = Publish::new(id, body_of(major, body)?);
    publish.topic = Some(Cow::Borrowed(str::from_utf8(topic).ok()?));
    Some(ClientFrame::Publish(publish))
}

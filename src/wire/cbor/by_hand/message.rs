//! The frame `message`.

use std::ops::Range;

use bytes::BufMut;
use smallvec::SmallVec;

use super::body::{encode_body, put_headers};
use crate::wire::cbor::head::{LONGEST, TEXT, UNSIGNED, head, put_head, put_string};
use crate::wire::cbor::prefix::PREFIX;
use crate::wire::{Millis, Publish, Seq};

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
        put_headers(headers, out);
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

/// The bytes before the seq of a message: the frame's name, the head of its map with 4 entries, and
/// the first key.
pub(super) const MESSAGE: &[u8; 14] = b"\xa1\x67message\xa4\x63seq";

/// The place in [`MESSAGE`] of the head of the map, and that head without keys behind the body.
const MAP_AT: usize = 9;
const FOUR_KEYS: u8 = 0xa4;

/// The most keys that a message has behind its body.
pub(super) const MOST_KEYS: u8 = 4;

/// The keys behind a message's body, beside the headers. `keep` is always true.
pub(in crate::wire::cbor) const TOPIC: &[u8] = b"\x65topic";
pub(in crate::wire::cbor) const KEEP: &[u8] = b"\x64keep\xf5";
pub(in crate::wire::cbor) const TO: &[u8] = b"\x62to";

/// Splits off the bytes before the seq of a message, with any number of keys behind its body.
/// Returns that number and the bytes from the seq on; `None` if it is not the start of a message.
#[inline]
pub(in crate::wire::cbor) fn take_message(item: &[u8]) -> Option<(u8, &[u8])> {
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

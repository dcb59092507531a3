//! Reads the keys of a message as this server encodes it, without its body.

use super::PREFIX;
use super::by_hand::{HEADERS, KEEP, TO, TOPIC, take_message};
use super::head::{MAP, TEXT, take_head, take_string, take_text, take_uint};
use crate::wire::{Millis, Seq};

/// The keys of a message that decide which sessions get it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageKeys<'a> {
    /// Its position in the stream.
    pub seq: Seq,
    /// The user that published it.
    pub from: &'a str,
    /// The time at which it got its seq.
    pub at: Millis,
    /// Its topic.
    pub topic: Option<&'a str>,
    /// Whether it became its topic's kept value.
    pub keep: bool,
    /// The only user that gets it.
    pub to: Option<&'a str>,
    /// Whether its body is the empty text, with which `keep` removes the kept value.
    pub is_empty_text: bool,
}

/// Reads the keys of one whole frame, its prefix included. Returns `None` if it is not a message
/// in the form that [`MessageFrames`](super::MessageFrames) writes. The body is passed over.
pub fn message_keys(frame: &[u8]) -> Option<MessageKeys<'_>> {
    let (mut left, rest) = take_message(frame.get(PREFIX..)?)?;
    let (seq, rest) = take_uint(rest)?;
    let (from, rest) = take_text(rest.strip_prefix(b"\x64from")?)?;
    let (at, rest) = take_uint(rest.strip_prefix(b"\x62at")?)?;
    let (major, body, mut rest) = take_string(rest.strip_prefix(b"\x64body")?)?;
    let mut keys = MessageKeys {
        seq: Seq(seq),
        from,
        at: Millis(at),
        topic: None,
        keep: false,
        to: None,
        is_empty_text: major == TEXT && body.is_empty(),
    };
    if let Some(value) = rest.strip_prefix(TOPIC) {
        let (topic, behind) = take_text(value)?;
        keys.topic = Some(topic);
        (rest, left) = (behind, left.checked_sub(1)?);
    }
    if let Some(value) = rest.strip_prefix(HEADERS) {
        (rest, left) = (skip_headers(value)?, left.checked_sub(1)?);
    }
    if let Some(behind) = rest.strip_prefix(KEEP) {
        keys.keep = true;
        (rest, left) = (behind, left.checked_sub(1)?);
    }
    if let Some(value) = rest.strip_prefix(TO) {
        let (to, behind) = take_text(value)?;
        keys.to = Some(to);
        (rest, left) = (behind, left.checked_sub(1)?);
    }
    (rest.is_empty() && left == 0).then_some(keys)
}

fn skip_headers(bytes: &[u8]) -> Option<&[u8]> {
    let (MAP, headers, mut rest) = take_head(bytes)? else {
        return None;
    };
    for _ in 0..headers.checked_mul(2)? {
        (_, rest) = take_text(rest)?;
    }
    Some(rest)
}

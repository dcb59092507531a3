//! The frames `publish` and `request`.

use std::borrow::Cow;
use std::str;

use super::body::body_of;
use super::message::TOPIC;
use crate::wire::cbor::head::{TEXT, UNSIGNED, take_head};
use crate::wire::{ClientFrame, Publish, Request};

/// Decodes a `publish` or a `request` in its usual form: definite lengths, and the two keys `id`
/// and `body` in this order, of a publish also `topic` behind them. Returns `None` for any other
/// input.
#[inline]
pub(in crate::wire::cbor) fn body_frame(item: &[u8]) -> Option<ClientFrame<'_>> {
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

//! The frames `publish` and `request`.

use std::borrow::Cow;

use super::body::body_of;
use super::message::TOPIC;
use crate::wire::cbor::head::{UNSIGNED, take_head, take_text, take_uint};
use crate::wire::{ClientFrame, Publish, Request, RequestOptions};

/// Decodes a `publish` or a `request` in its usual form: definite lengths, and the two keys `id`
/// and `body` in this order; behind them of a publish also `topic`, and of a request `service`, or
/// `service` and `timeout`. Returns `None` for any other input.
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
        return with_more_keys(name, id, major, length, body);
    }
    let body = body_of(major, body)?;
    match name {
        b"\xa1\x67publish\xa2" => Some(ClientFrame::Publish(Publish::new(id, body))),
        b"\xa1\x67request\xa2" => Some(ClientFrame::Request(Request::new(id, body))),
        _ => None,
    }
}

/// Decodes the rest of a frame with keys behind its body. `rest` begins behind the head of the body.
#[inline(never)]
fn with_more_keys<'a>(
    name: &[u8],
    id: u64,
    major: u8,
    length: u64,
    rest: &'a [u8],
) -> Option<ClientFrame<'a>> {
    let (body, keys) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    match name {
        b"\xa1\x67publish\xa3" => {
            let (topic, []) = take_text(keys.strip_prefix(TOPIC)?)? else {
                return None;
            };
            let mut publish = Publish::new(id, body_of(major, body)?);
            publish.topic = Some(Cow::Borrowed(topic));
            Some(ClientFrame::Publish(publish))
        }
        b"\xa1\x67request\xa3" | b"\xa1\x67request\xa4" => {
            let has_timeout = name.ends_with(b"\xa4");
            let options = service_keys(keys, has_timeout)?;
            let mut request = Request::new(id, body_of(major, body)?);
            request.options = Some(Box::new(options));
            Some(ClientFrame::Request(request))
        }
        _ => None,
    }
}

/// Reads the key `service`, and where it is to be there `timeout`. Nothing may follow.
fn service_keys(keys: &[u8], has_timeout: bool) -> Option<RequestOptions<'_>> {
    let (service, rest) = take_text(keys.strip_prefix(b"\x67service")?)?;
    let (timeout, rest) = if has_timeout {
        let (timeout, rest) = take_uint(rest.strip_prefix(b"\x67timeout")?)?;
        (Some(timeout), rest)
    } else {
        (None, rest)
    };
    rest.is_empty().then_some(RequestOptions {
        service: Some(Cow::Borrowed(service)),
        timeout,
        headers: None,
    })
}

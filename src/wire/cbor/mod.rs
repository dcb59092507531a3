//! The cbor dialect: a 4-byte big-endian length, then one CBOR map (RFC 8949).
//!
//! serde_cbor decodes the values, but accepts more than the protocol allows: arrays or integer
//! keys for structs, tags before any item, packed enums. So `shape` checks every item first,
//! with a stack of fixed depth, and only items that pass reach serde_cbor. The most frequent
//! frames, in their usual form, skip both: see `by_hand`.

mod by_hand;
mod head;
mod keys;
mod message_keys;
mod prefix;
mod scan;
mod shape;

pub use scan::{FrameScanner, ScanError, ScannedFrame};

use serde::Deserialize;
use serde::Serialize;

use super::{ClientFrame, Decoded, ServerFrame, WireError};
use crate::wire::quote::{QUOTED, limited};
use crate::wire::{ErrorCode, Quote};

pub use by_hand::{
    ContentKeys, EMPTY_TEXT, MessageFrames, encode_body, encode_content, max_body,
    max_body_with_topics, message_fits,
};
pub use message_keys::{MessageKeys, message_keys};
use prefix::put_framed;
pub use prefix::{PREFIX, announced_length};

/// Decodes the first client frame in `bytes`.
///
/// # Errors
/// See [`crate::wire::Dialect::decode`].
pub fn decode_client(bytes: &[u8], limit: usize) -> Result<Decoded<ClientFrame<'_>>, WireError> {
    decode(bytes, limit, client_item)
}

/// Decodes a message: exactly one client frame with its prefix.
///
/// # Errors
/// See [`crate::wire::Dialect::decode_message`].
pub fn decode_message(message: &[u8], limit: usize) -> Result<ClientFrame<'_>, WireError> {
    match decode_client(message, limit)? {
        Decoded::Frame(frame, used) if used == message.len() => Ok(frame),
        Decoded::Frame(_, used) | Decoded::Ignored(used) => Err(WireError::bad_frame_at(
            used - PREFIX,
            "more than a frame in one message",
        )),
        Decoded::Partial => Err(WireError::bad_frame_at(
            message.len().saturating_sub(PREFIX),
            "less than a frame in one message",
        )),
    }
}

/// Decodes the first server frame in `bytes`. A frame of an unknown name is
/// [`Decoded::Ignored`]: a later version of the protocol may define it.
///
/// # Errors
/// See [`crate::wire::Dialect::decode`].
pub fn decode_server(bytes: &[u8], limit: usize) -> Result<Decoded<ServerFrame<'_>>, WireError> {
    Ok(match decode(bytes, limit, server_item)? {
        Decoded::Frame(Some(frame), used) => Decoded::Frame(frame, used),
        Decoded::Frame(None, used) | Decoded::Ignored(used) => Decoded::Ignored(used),
        Decoded::Partial => Decoded::Partial,
    })
}

/// Appends the frame, with its prefix, to `out`.
///
/// # Panics
/// The frame is of 4 GiB or more, or `T` fails to serialize. The types of this crate do not fail.
pub fn encode<T: Serialize>(frame: &T, out: &mut Vec<u8>) {
    put_framed(out, |out| {
        serde_cbor::to_writer(out, frame).expect("a frame serializes into a Vec");
    });
}

/// Appends a server's frame, with its prefix, to `out`: the same bytes as [`encode`], and
/// faster for the most frequent frames.
///
/// # Panics
/// See [`encode`].
pub fn encode_server(frame: &ServerFrame<'_>, out: &mut Vec<u8>) {
    match frame {
        ServerFrame::Published(published) if !published.repeated => {
            by_hand::published(published, out);
        }
        ServerFrame::Reply(reply) => by_hand::reply(reply, out),
        ServerFrame::Call(call) => by_hand::call(call, out),
        other => encode(other, out),
    }
}

fn decode<'a, T>(
    bytes: &'a [u8],
    limit: usize,
    item: impl FnOnce(&'a [u8]) -> Result<T, WireError>,
) -> Result<Decoded<T>, WireError> {
    let Some(length) = announced_length(bytes) else {
        return Ok(Decoded::Partial);
    };
    if length == 0 {
        return Err(WireError::bad_frame_at(
            0,
            "a frame of 0 bytes holds no item",
        ));
    }
    if length > limit {
        return Err(foreign(bytes).unwrap_or_else(|| WireError::too_large(length, limit)));
    }
    match bytes.get(PREFIX..PREFIX + length) {
        None => Ok(Decoded::Partial),
        Some(payload) => Ok(Decoded::Frame(item(payload)?, PREFIX + length)),
    }
}

/// Returns the error for the start of another protocol, if `bytes` are one that clients
/// commonly try.
fn foreign(bytes: &[u8]) -> Option<WireError> {
    let (protocol, hint) = match bytes.first_chunk::<4>()? {
        b"GET " | b"POST" | b"HEAD" | b"PUT " | b"OPTI" => ("http", "no http is served here"),
        b"/log" | b"/pin" | b"/who" => ("text", "add ?dialect=text to the server's endpoint"),
        [0x16, 0x03, ..] => ("tls", "this endpoint is not encrypted"),
        _ => return None,
    };
    Some(WireError {
        code: ErrorCode::Unsupported,
        message: format!("this endpoint speaks arauto's cbor dialect, not {protocol}: {hint}"),
    })
}

fn client_item(item: &[u8]) -> Result<ClientFrame<'_>, WireError> {
    if let Some(frame) = by_hand::body_frame(item) {
        return Ok(frame);
    }
    if let Some(answer) = by_hand::answer(item) {
        return Ok(ClientFrame::Answer(answer));
    }
    checked_client_item(item)
}

fn checked_client_item(item: &[u8]) -> Result<ClientFrame<'_>, WireError> {
    let frame = shape::check(item)?;
    match &frame.plain {
        None => client_value(&frame, frame.value),
        Some(plain) => client_value(&frame, plain).map(ClientFrame::into_owned),
    }
}

fn client_value<'a>(
    frame: &shape::Frame<'_>,
    value: &'a [u8],
) -> Result<ClientFrame<'a>, WireError> {
    Ok(match &*frame.name {
        "login" => ClientFrame::Login(Box::new(read(frame, value)?)),
        "request" => ClientFrame::Request(read(frame, value)?),
        "publish" => ClientFrame::Publish(read(frame, value)?),
        "who" => ClientFrame::Who(read(frame, value)?),
        "ping" => ClientFrame::Ping(read(frame, value)?),
        "ack" => ClientFrame::Ack(read(frame, value)?),
        "fim" => ClientFrame::Fim(read(frame, value)?),
        "shutdown" => ClientFrame::Shutdown(read(frame, value)?),
        "sessions" => ClientFrame::Sessions(read(frame, value)?),
        "cursors" => ClientFrame::Cursors(Box::new(read(frame, value)?)),
        "remove_cursor" => ClientFrame::RemoveCursor(Box::new(read(frame, value)?)),
        "subscribe" => ClientFrame::Subscribe(Box::new(read(frame, value)?)),
        "topics" => ClientFrame::Topics(Box::new(read(frame, value)?)),
        "offer" => ClientFrame::Offer(read(frame, value)?),
        "withdraw" => ClientFrame::Withdraw(read(frame, value)?),
        "answer" => ClientFrame::Answer(read(frame, value)?),
        "services" => ClientFrame::Services(Box::new(read(frame, value)?)),
        _ => return Err(unknown(frame)),
    })
}

fn server_item(item: &[u8]) -> Result<Option<ServerFrame<'_>>, WireError> {
    let frame = shape::check(item)?;
    let (frame, value) = (&frame, frame.value);
    Ok(Some(match &*frame.name {
        "welcome" => ServerFrame::Welcome(read(frame, value)?),
        "logged_in" => ServerFrame::LoggedIn(read(frame, value)?),
        "reply" => ServerFrame::Reply(read(frame, value)?),
        "published" => ServerFrame::Published(read(frame, value)?),
        "present" => ServerFrame::Present(read(frame, value)?),
        "pong" => ServerFrame::Pong(read(frame, value)?),
        "message" => ServerFrame::Message(read(frame, value)?),
        "joined" => ServerFrame::Joined(read(frame, value)?),
        "left" => ServerFrame::Left(read(frame, value)?),
        "gap" => ServerFrame::Gap(read(frame, value)?),
        "subscribed" => ServerFrame::Subscribed(read(frame, value)?),
        "kept" => ServerFrame::Kept(read(frame, value)?),
        "passed" => ServerFrame::Passed(read(frame, value)?),
        "error" => ServerFrame::Error(read(frame, value)?),
        "stopping" => ServerFrame::Stopping(read(frame, value)?),
        "closing" => ServerFrame::Closing(read(frame, value)?),
        "sessions" => ServerFrame::Sessions(read(frame, value)?),
        "topics" => ServerFrame::Topics(read(frame, value)?),
        "cursors" => ServerFrame::Cursors(read(frame, value)?),
        "cursor_removed" => ServerFrame::CursorRemoved(read(frame, value)?),
        "offered" => ServerFrame::Offered(read(frame, value)?),
        "withdrawn" => ServerFrame::Withdrawn(read(frame, value)?),
        "call" => ServerFrame::Call(read(frame, value)?),
        "cancelled" => ServerFrame::Cancelled(read(frame, value)?),
        "services" => ServerFrame::Services(read(frame, value)?),
        _ => return Ok(None),
    }))
}

/// Decodes a value whose shape has been checked. serde's error is shortened, because it may
/// quote the value.
fn read<'a, T: Deserialize<'a>>(frame: &shape::Frame<'_>, value: &'a [u8]) -> Result<T, WireError> {
    serde_cbor::from_slice(value).map_err(|error| {
        let at = frame.value_at + usize::try_from(error.offset()).unwrap_or_default();
        let problem = format_args!("the value of {} does not fit: {error}", frame.name);
        WireError::bad_frame_at(at, &limited(problem, 2 * QUOTED))
    })
}

fn unknown(frame: &shape::Frame<'_>) -> WireError {
    let problem = format!("no frame is named {}", Quote::new(&*frame.name));
    WireError::bad_frame_at(frame.name_at, &problem)
}

#[cfg(test)]
mod tests;

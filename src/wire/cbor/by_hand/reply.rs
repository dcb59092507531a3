//! The frame `reply`.

use bytes::BufMut;

use super::body::{encode_body, put_headers};
use crate::wire::ReplyFrame;
use crate::wire::cbor::head::{TEXT, UNSIGNED, put_head, put_string};
use crate::wire::cbor::prefix::put_framed;

/// The bytes before the id: the frame's name, the head of its map with 2 entries, and the first key.
const REPLY: &[u8; 11] = b"\xa1\x65reply\xa2\x62id";

/// The place in [`REPLY`] of the head of the map.
const MAP_AT: usize = 7;

/// Splits off the bytes before the id of a reply, with any number of keys behind its body. Returns
/// the bytes from the id on; `None` if it is not the start of a reply.
#[inline]
pub(in crate::wire::cbor) fn take_reply(item: &[u8]) -> Option<&[u8]> {
    let (start, rest) = item.split_first_chunk::<{ REPLY.len() }>()?;
    let mut start = *start;
    if matches!(start[MAP_AT], 0xa3 | 0xa4) {
        start[MAP_AT] = REPLY[MAP_AT];
    }
    (start == *REPLY).then_some(rest)
}

/// Appends a `reply`, with its prefix.
///
/// # Panics
/// The frame is of 4 GiB or more.
pub(in crate::wire::cbor) fn reply(frame: &ReplyFrame<'_>, out: &mut Vec<u8>) {
    put_framed(out, |out| {
        let map_at = out.len() + MAP_AT;
        out.put_slice(REPLY);
        put_head(UNSIGNED, frame.id, out);
        out.put_slice(b"\x64body");
        encode_body(&frame.body, out);
        let Some(options) = frame.options.as_deref() else {
            return;
        };
        if let Some(from) = &options.from {
            out.put_slice(b"\x64from");
            put_string(TEXT, from.as_bytes(), out);
            out[map_at] += 1;
        }
        if let Some(headers) = &options.headers {
            put_headers(headers, out);
            out[map_at] += 1;
        }
    });
}

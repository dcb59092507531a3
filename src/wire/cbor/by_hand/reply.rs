//! The frame `reply`.

use bytes::BufMut;

use super::body::encode_body;
use crate::wire::ReplyFrame;
use crate::wire::cbor::head::{UNSIGNED, put_head};
use crate::wire::cbor::prefix::put_framed;

/// The bytes before the id.
pub(in crate::wire::cbor) const REPLY: &[u8; 11] = b"\xa1\x65reply\xa2\x62id";

/// Appends a `reply` of a handler, with its prefix.
///
/// # Panics
/// The frame is of 4 GiB or more.
pub(in crate::wire::cbor) fn reply(frame: &ReplyFrame<'_>, out: &mut Vec<u8>) {
    put_framed(out, |out| {
        out.put_slice(REPLY);
        put_head(UNSIGNED, frame.id, out);
        out.put_slice(b"\x64body");
        encode_body(&frame.body, out);
    });
}

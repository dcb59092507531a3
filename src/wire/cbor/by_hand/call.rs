//! The frame `call`.

use bytes::BufMut;

use super::body::{encode_body, put_headers};
use crate::wire::CallFrame;
use crate::wire::cbor::head::{MAP, TEXT, UNSIGNED, put_head, put_string};
use crate::wire::cbor::prefix::put_framed;

/// Appends a `call`, with its prefix.
///
/// # Panics
/// The frame is of 4 GiB or more.
pub(in crate::wire::cbor) fn call(frame: &CallFrame<'_>, out: &mut Vec<u8>) {
    put_framed(out, |out| {
        out.put_slice(b"\xa1\x64call");
        put_head(MAP, 5 + u64::from(frame.headers.is_some()), out);
        out.put_slice(b"\x64call");
        put_head(UNSIGNED, frame.call, out);
        out.put_slice(b"\x67service");
        put_string(TEXT, frame.service.as_bytes(), out);
        out.put_slice(b"\x64from");
        put_string(TEXT, frame.from.as_bytes(), out);
        out.put_slice(b"\x64body");
        encode_body(&frame.body, out);
        out.put_slice(b"\x69remaining");
        put_head(UNSIGNED, frame.remaining, out);
        if let Some(headers) = &frame.headers {
            put_headers(headers, out);
        }
    });
}

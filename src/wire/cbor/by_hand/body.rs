//! The keys that several frames have: the body and the headers.

use std::str;

use bytes::BufMut;

use crate::wire::cbor::head::{BYTES, MAP, TEXT, put_head, put_string};
use crate::wire::{Body, Headers};

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

/// Reads the body of this major type.
#[inline]
pub(super) fn body_of(major: u8, body: &[u8]) -> Option<Body<'_>> {
    match major {
        TEXT => Some(Body::text(str::from_utf8(body).ok()?)),
        BYTES => Some(Body::bytes(body)),
        _ => None,
    }
}

/// The key of the headers.
pub(in crate::wire::cbor) const HEADERS: &[u8] = b"\x67headers";

/// Appends the headers with their key.
pub(super) fn put_headers(headers: &Headers<'_>, out: &mut Vec<u8>) {
    out.put_slice(HEADERS);
    put_head(MAP, headers.len() as u64, out);
    for (name, value) in headers.iter() {
        put_string(TEXT, name.as_bytes(), out);
        put_string(TEXT, value.as_bytes(), out);
    }
}

//! The frame `answer`.

use super::body::body_of;
use crate::wire::AnswerFrame;
use crate::wire::cbor::head::{take_head, take_uint};

/// The bytes before the call's number of an answer with two keys.
const ANSWER: &[u8] = b"\xa1\x66answer\xa2\x64call";

/// Decodes an `answer` in its usual form: definite lengths, and the two keys `call` and `body` in
/// this order. Returns `None` for any other input.
#[inline]
pub(in crate::wire::cbor) fn answer(item: &[u8]) -> Option<AnswerFrame<'_>> {
    let (call, rest) = take_uint(item.strip_prefix(ANSWER)?)?;
    let (major, length, body) = take_head(rest.strip_prefix(b"\x64body")?)?;
    if body.len() as u64 != length {
        return None;
    }
    let body = body_of(major, body)?;
    Some(AnswerFrame {
        call,
        result: Ok((body, None)),
    })
}

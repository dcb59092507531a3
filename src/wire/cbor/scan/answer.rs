//! Recognizes the most frequent answers, as this server encodes them.

use super::scanned::ScannedFrame;
use crate::wire::Seq;
use crate::wire::cbor::by_hand::{PUBLISHED, SEQ, take_reply};
use crate::wire::cbor::head::take_uint;

/// Reads the numbers of a `published` or a `reply` in the form that this server writes. Returns
/// `None` for any other item.
pub(super) fn answer(item: &[u8]) -> Option<ScannedFrame<'static>> {
    if let Some(rest) = item.strip_prefix(PUBLISHED) {
        let (id, rest) = take_uint(rest)?;
        let (seq, rest) = take_uint(rest.strip_prefix(SEQ)?)?;
        let seq = Seq(seq);
        return rest
            .is_empty()
            .then_some(ScannedFrame::Published { id, seq });
    }
    let (id, _body) = take_uint(take_reply(item)?)?;
    Some(ScannedFrame::Reply { id })
}

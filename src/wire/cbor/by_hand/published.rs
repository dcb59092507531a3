//! The frame `published`.

use crate::wire::Published;
use crate::wire::cbor::head::{LONGEST, UNSIGNED, head};
use crate::wire::cbor::prefix::PREFIX;

/// The bytes before the id.
pub(in crate::wire::cbor) const PUBLISHED: &[u8; 15] = b"\xa1\x69published\xa2\x62id";

/// The bytes between the two numbers.
pub(in crate::wire::cbor) const SEQ: &[u8; 4] = b"\x63seq";

/// The most bytes of a `published`.
pub(in crate::wire::cbor) const LONGEST_PUBLISHED: usize =
    PREFIX + PUBLISHED.len() + LONGEST + SEQ.len() + LONGEST;

/// Appends a `published`, with its prefix.
pub(in crate::wire::cbor) fn published(frame: &Published, out: &mut Vec<u8>) {
    let (id, id_width) = head(UNSIGNED, frame.id);
    let (seq, seq_width) = head(UNSIGNED, frame.seq.0);
    let mut bytes = [0; LONGEST_PUBLISHED];
    let mut end = PREFIX + PUBLISHED.len();
    bytes[PREFIX..end].copy_from_slice(PUBLISHED);
    bytes[end..end + LONGEST].copy_from_slice(&id);
    end += id_width;
    bytes[end..end + SEQ.len()].copy_from_slice(SEQ);
    end += SEQ.len();
    bytes[end..end + LONGEST].copy_from_slice(&seq);
    end += seq_width;
    bytes[PREFIX - 1] = (end - PREFIX) as u8; // at most LONGEST_PUBLISHED, which fits a byte
    out.extend_from_slice(&bytes[..end]);
}

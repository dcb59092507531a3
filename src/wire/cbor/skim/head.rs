//! The first bytes of frames as this server writes them.

use super::Skimmed;
use crate::wire::Seq;
use crate::wire::cbor::PREFIX;

/// What stands in front of each number. A map of 4, 2 and 2 keys, shortest heads.
pub(super) const MESSAGE: &[u8; 14] = b"\xa1\x67message\xa4\x63seq";
const PUBLISHED: &[u8; 15] = b"\xa1\x69published\xa2\x62id";
const REPLY: &[u8; 11] = b"\xa1\x65reply\xa2\x62id";
const SEQ: &[u8; 4] = b"\x63seq";

/// The most that is looked at: a prefix, `published`, and two numbers.
pub(super) const HEAD: usize = PREFIX + PUBLISHED.len() + 9 + SEQ.len() + 9;

/// An answer as this server writes it, by its numbers.
pub(super) fn answer(item: &[u8]) -> Option<Skimmed<'static>> {
    if let Some(rest) = item.strip_prefix(PUBLISHED) {
        let (id, rest) = uint(rest)?;
        let (seq, rest) = uint(rest.strip_prefix(SEQ)?)?;
        let seq = Seq(seq);
        return rest.is_empty().then_some(Skimmed::Published { id, seq });
    }
    let (id, _body) = uint(item.strip_prefix(REPLY)?)?;
    Some(Skimmed::Reply { id })
}

/// An unsigned integer at the front (RFC 8949, 3.1), and what follows it.
#[inline]
pub(super) fn uint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    Some(match first {
        0..=23 => (u64::from(*first), rest),
        24 => {
            let (value, rest) = rest.split_first()?;
            (u64::from(*value), rest)
        }
        25 => {
            let (value, rest) = rest.split_first_chunk()?;
            (u64::from(u16::from_be_bytes(*value)), rest)
        }
        26 => {
            let (value, rest) = rest.split_first_chunk()?;
            (u64::from(u32::from_be_bytes(*value)), rest)
        }
        27 => {
            let (value, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*value), rest)
        }
        _ => return None,
    })
}

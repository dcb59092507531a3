//! The head of a CBOR item: its major type and its argument (RFC 8949, 3).

use std::str;

use bytes::BufMut;

pub(super) const UNSIGNED: u8 = 0;
pub(super) const BYTES: u8 = 2;
pub(super) const TEXT: u8 = 3;
pub(super) const MAP: u8 = 5;

/// The length of the longest head in bytes: one byte, then an argument of eight.
pub(super) const LONGEST: usize = 9;

/// The bytes of a head, and how many of them are used.
pub(super) type Head = ([u8; LONGEST], usize);

/// Encodes an item's head in its shortest form (RFC 8949, 4.2.1).
#[inline]
pub(super) fn head(major: u8, value: u64) -> Head {
    let mut bytes = [0; LONGEST];
    let (info, width) = match value {
        0..=23 => (value as u8, 0),
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 8),
    };
    bytes[0] = major << 5 | info;
    if width > 0 {
        let shifted = value << (64 - 8 * width);
        bytes[1..].copy_from_slice(&shifted.to_be_bytes());
    }
    (bytes, 1 + width)
}

pub(super) fn put_head(major: u8, value: u64, out: &mut impl BufMut) {
    let (bytes, length) = head(major, value);
    out.put_slice(&bytes[..length]);
}

pub(super) fn put_string(major: u8, bytes: &[u8], out: &mut impl BufMut) {
    put_head(major, bytes.len() as u64, out);
    out.put_slice(bytes);
}

/// Splits off the head of the first item. Returns its major type, its argument, and the bytes
/// after the head; `None` if the head is incomplete or has no argument.
#[inline]
pub(super) fn take_head(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (value, rest) = match first & 0x1f {
        info @ 0..=23 => (u64::from(info), rest),
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
    };
    Some((first >> 5, value, rest))
}

/// Splits off an unsigned integer. Returns it and the bytes after it.
#[inline]
pub(super) fn take_uint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    match take_head(bytes)? {
        (UNSIGNED, value, rest) => Some((value, rest)),
        _ => None,
    }
}

/// Splits off a text string or a byte string of a definite length. Returns its major type, its
/// content, and the bytes after it.
#[inline]
pub(super) fn take_string(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (major @ (TEXT | BYTES), length, rest) = take_head(bytes)? else {
        return None;
    };
    let (content, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((major, content, rest))
}

/// Splits off a text string of a definite length. Returns it and the bytes after it.
#[inline]
pub(super) fn take_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    match take_string(bytes)? {
        (TEXT, text, rest) => Some((str::from_utf8(text).ok()?, rest)),
        _ => None,
    }
}

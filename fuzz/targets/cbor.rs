//! Frames of the cbor dialect, a client's and a server's.
//!
//! - What is accepted is one well-formed item, as RFC 8949 has it, and nothing behind it
//!   was looked at: more bytes change nothing, fewer are a part of a frame.
//! - A frame that was read is written, and read again, as the same; the bytes written are
//!   those that ciborium writes.
//! - Memory stays in proportion to the input.
//! - Skimming a server's stream shows the same however it was cut.

#![no_main]

use std::fmt::Debug;

use arauto::Seq;
use arauto::wire::cbor::{
    FrameScanner, ScannedFrame, decode_client, decode_message, decode_server, encode, encode_server,
};
use arauto::wire::{Decoded, WireError};
use arauto_fuzz::input::{Input, place};
use arauto_fuzz::memory::in_proportion;
use libfuzzer_sys::fuzz_target;

const PREFIX: usize = 4;
const LIMITS: [usize; 3] = [1 << 20, 64, 1];

type Frame<T> = Result<Decoded<T>, WireError>;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let (mode, cut) = (input.byte(), input.byte());
    let limit = LIMITS[usize::from(mode >> 4) % LIMITS.len()];
    let mut bytes = input.rest.to_vec();
    if mode & 4 != 0 {
        prefix(&mut bytes);
    }
    match mode & 3 {
        0 | 1 => client(&bytes, limit, cut),
        2 => server(&bytes, limit, cut),
        _ => scan(&bytes, cut),
    }
});

/// Makes one frame of the bytes: a fuzzer should not have to count.
fn prefix(bytes: &mut Vec<u8>) {
    let length = u32::try_from(bytes.len()).expect("inputs are short");
    bytes.splice(..0, length.to_be_bytes());
}

fn client(bytes: &[u8], limit: usize, cut: u8) {
    let found = in_proportion(bytes.len(), || decode_client(bytes, limit));
    let whole = decode_message(bytes, limit).is_ok();
    let Some((frame, used)) = judge(&found, bytes, limit) else {
        assert!(!whole, "a message is a frame");
        return;
    };
    assert_eq!(whole, used == bytes.len());
    let bytes = &bytes[..used];
    let shorter = place(cut, used);
    assert_eq!(
        decode_client(&bytes[..shorter], limit),
        Ok(Decoded::Partial)
    );
    assert_eq!(decode_client(bytes, limit), found);

    let written = canonical(|out| encode(frame, out));
    let again = decode_client(&written, usize::MAX);
    assert_eq!(again, Ok(Decoded::Frame(frame.clone(), written.len())));
}

fn server(bytes: &[u8], limit: usize, cut: u8) {
    let found = in_proportion(bytes.len(), || decode_server(bytes, limit));
    let Some((frame, used)) = judge(&found, bytes, limit) else {
        return;
    };
    let bytes = &bytes[..used];
    let shorter = place(cut, used);
    assert_eq!(
        decode_server(&bytes[..shorter], limit),
        Ok(Decoded::Partial)
    );
    assert_eq!(decode_server(bytes, limit), found);

    let written = canonical(|out| encode_server(frame, out));
    let again = decode_server(&written, usize::MAX);
    assert_eq!(again, Ok(Decoded::Frame(frame.clone(), written.len())));
}

/// Checks a frame of either side; returns the frame, where there is one.
fn judge<'f, T: Debug>(found: &'f Frame<T>, bytes: &[u8], limit: usize) -> Option<(&'f T, usize)> {
    match found {
        Ok(Decoded::Frame(frame, used)) => {
            assert!(PREFIX < *used && *used <= bytes.len() && *used - PREFIX <= limit);
            let item = &bytes[PREFIX..*used];
            assert_eq!(item_length(item), Some(item.len()), "{frame:?}");
            Some((frame, *used))
        }
        Ok(Decoded::Ignored(used)) => {
            assert!(PREFIX < *used && *used <= bytes.len());
            None
        }
        Ok(Decoded::Partial) => {
            let announced = bytes
                .first_chunk()
                .map(|prefix| u32::from_be_bytes(*prefix));
            assert!(announced.is_none_or(|length| bytes.len() < PREFIX + length as usize));
            None
        }
        Err(error) => {
            assert!(!error.message.is_empty());
            None
        }
    }
}

/// Returns the written bytes, which are those that ciborium writes for the same item.
fn canonical(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut written = Vec::new();
    write(&mut written);
    let item = &written[PREFIX..];
    let value: ciborium::Value = ciborium::from_reader(item).expect("ciborium reads it");
    let mut theirs = Vec::new();
    ciborium::into_writer(&value, &mut theirs).expect("a Vec takes all");
    assert_eq!(theirs, item);
    written
}

/// A server's stream after a login.
fn scan(bytes: &[u8], cut: u8) {
    let scanned = |pieces: &[&[u8]]| {
        let mut scanner = FrameScanner::new(Seq(1), 1 << 20).whole_frames();
        let mut shown = Vec::new();
        let ends = pieces.iter().try_for_each(|piece| {
            scanner.scan(piece, |frame: ScannedFrame<'_>| {
                shown.push(format!("{frame:?}"))
            })
        });
        (shown, ends, scanner.last())
    };
    let at = place(cut, bytes.len());
    let whole = scanned(&[bytes]);
    assert_eq!(scanned(&[&bytes[..at], &bytes[at..]]), whole);
    let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(scanned(&bytewise), whole);
}

/// The length of the well-formed item at the front (RFC 8949, appendix C), by itself.
fn item_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    well_formed(bytes, &mut at, 0, false)?;
    Some(at)
}

/// `Some(true)` is a break. Nesting deeper than the server takes is not looked at.
fn well_formed(bytes: &[u8], at: &mut usize, depth: usize, may_break: bool) -> Option<bool> {
    if depth > 64 {
        return None;
    }
    let first = *bytes.get(*at)?;
    *at += 1;
    let (major, info) = (first >> 5, first & 0x1f);
    let value = match info {
        0..=23 => u64::from(info),
        24..=27 => {
            let width = 1 << (info - 24);
            let raw = bytes.get(*at..*at + width)?;
            *at += width;
            raw.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        }
        31 => return indefinite(bytes, at, depth, major, may_break),
        _ => return None,
    };
    match major {
        0 | 1 => {}
        2 | 3 => {
            let end = at.checked_add(usize::try_from(value).ok()?)?;
            bytes.get(*at..end)?;
            *at = end;
        }
        4 | 5 => {
            let items = value.checked_mul(u64::from(major - 3))?;
            for _ in 0..items {
                well_formed(bytes, at, depth + 1, false)?;
            }
        }
        6 => {
            well_formed(bytes, at, depth + 1, false)?;
        }
        _ if info == 24 && value < 32 => return None,
        _ => {}
    }
    Some(false)
}

fn indefinite(
    bytes: &[u8],
    at: &mut usize,
    depth: usize,
    major: u8,
    may_break: bool,
) -> Option<bool> {
    match major {
        2 | 3 => loop {
            let piece = *bytes.get(*at)?;
            if piece == 0xff {
                *at += 1;
                return Some(false);
            }
            if piece >> 5 != major || piece & 0x1f == 31 {
                return None;
            }
            well_formed(bytes, at, depth + 1, false)?;
        },
        4 => {
            while !well_formed(bytes, at, depth + 1, true)? {}
            Some(false)
        }
        5 => {
            while !well_formed(bytes, at, depth + 1, true)? {
                well_formed(bytes, at, depth + 1, false)?;
            }
            Some(false)
        }
        7 if may_break => Some(true),
        _ => None,
    }
}

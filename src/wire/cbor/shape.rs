//! The outline of a frame: one map with one entry, its value a map with text keys.
//!
//! The walk holds a fixed stack, so that no input costs much more than its own
//! length; nesting deeper than [`MAX_DEPTH`] is refused, well below the depth at
//! which serde_cbor's recursion would matter.

use std::borrow::Cow;

use super::keys::{self, Key, Kind};
use crate::wire::WireError;

/// How deep an item may nest, the frame's own two maps included.
const MAX_DEPTH: usize = 32;

/// A frame's name, and the bytes of its value.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) name: Cow<'a, str>,
    /// Where the name stands in the item.
    pub(super) name_at: usize,
    pub(super) value: &'a [u8],
    /// Where the value begins in the item.
    pub(super) value_at: usize,
    /// A key of a feature that is not served here, where the value has one.
    pub(super) unserved: Option<&'static str>,
    /// The value without the simple values that have no meaning (RFC 8949, 3.3), where
    /// it holds any. They stand under unknown keys, and are more than serde_cbor can
    /// pass over: in place of each stands something of its length that it can.
    pub(super) plain: Option<Vec<u8>>,
}

/// Checks that `item` is one well-formed frame and nothing after it.
pub(super) fn check(item: &[u8]) -> Result<Frame<'_>, WireError> {
    let mut walk = Walk {
        bytes: item,
        at: 0,
        plain: None,
        unserved: None,
    };
    let entries = walk.map("the item")?;
    if !matches!(entries, Some(1) | None) {
        return Err(walk.wrong("the item must be a map with one entry"));
    }
    let name_at = walk.at;
    let name = walk.key()?;
    let start = walk.at;
    walk.text_map("the frame's value", keys::of(&name), keys::unserved(&name))?;
    let end = walk.at;
    if entries.is_none() && !walk.take_break() {
        return Err(walk.wrong("the item must be a map with one entry"));
    }
    if walk.at != item.len() {
        return Err(walk.wrong("nothing may follow the item"));
    }
    let plain = walk.plain.map(|mut plain| {
        plain.truncate(end);
        plain.drain(..start);
        plain
    });
    Ok(Frame {
        name,
        name_at,
        value: &item[start..end],
        value_at: start,
        unserved: walk.unserved,
        plain,
    })
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The bytes with something else in their place, from the first of them on.
    plain: Option<Vec<u8>>,
    unserved: Option<&'static str>,
}

/// One item's head: its major type and its argument; `None` is indefinite.
struct Head {
    major: u8,
    argument: Option<u64>,
}

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const SIMPLE: u8 = 7;
const BREAK: u8 = 0xff;
const SIMPLE_IN_NEXT_BYTE: u8 = 0xf8;
const UNSIGNED_IN_NEXT_BYTE: u8 = 0x18;
const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const NULL: u8 = 0xf6;

impl<'a> Walk<'a> {
    fn wrong(&self, what: &str) -> WireError {
        WireError::bad_frame_at(self.at, what)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take_break(&mut self) -> bool {
        let found = self.peek() == Some(BREAK);
        self.at += usize::from(found);
        found
    }

    fn head(&mut self) -> Result<Head, WireError> {
        let Some(byte) = self.peek() else {
            return Err(self.wrong("the item ends early"));
        };
        let (major, info) = (byte >> 5, byte & 0x1f);
        let indefinite_allowed = matches!(major, BYTES | TEXT | ARRAY | MAP);
        let argument = match info {
            0..=23 => Some(u64::from(info)),
            24..=27 => {
                let width = 1_usize << (info - 24);
                let Some(raw) = self.bytes.get(self.at + 1..self.at + 1 + width) else {
                    return Err(self.wrong("the item ends early"));
                };
                self.at += width;
                Some(raw.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
            }
            31 if indefinite_allowed => None,
            _ => return Err(self.wrong("the item is not well-formed cbor")),
        };
        self.at += 1;
        Ok(Head { major, argument })
    }

    fn skip(&mut self, length: u64) -> Result<&'a [u8], WireError> {
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| self.at.checked_add(length))
            .filter(|end| *end <= self.bytes.len())
            .ok_or_else(|| self.wrong("a string is longer than the frame"))?;
        let content = &self.bytes[self.at..end];
        self.at = end;
        Ok(content)
    }

    /// A map's head; its number of entries, or `None` for indefinite.
    fn map(&mut self, what: &str) -> Result<Option<u64>, WireError> {
        if self.peek().is_some_and(|byte| byte >> 5 != MAP) {
            return Err(self.wrong(&format!("{what} must be a map")));
        }
        Ok(self.head()?.argument)
    }

    /// A text string: what every frame's name and key is.
    fn key(&mut self) -> Result<Cow<'a, str>, WireError> {
        let head = self.head()?;
        match (head.major, head.argument) {
            (TEXT, Some(length)) => self.text(length).map(Cow::Borrowed),
            (TEXT, None) => {
                let mut key = String::new();
                while !self.take_break() {
                    key.push_str(self.piece(TEXT)?);
                }
                Ok(Cow::Owned(key))
            }
            _ => Err(self.wrong("a key must be a text string")),
        }
    }

    fn text(&mut self, length: u64) -> Result<&'a str, WireError> {
        let content = self.skip(length)?;
        std::str::from_utf8(content).map_err(|error| {
            self.at = self.at - content.len() + error.valid_up_to();
            self.wrong("a text string is not utf-8")
        })
    }

    /// A map with text keys, over which it walks to its end.
    fn text_map(
        &mut self,
        what: &str,
        known: &'static [Key],
        unserved: &'static [&'static str],
    ) -> Result<(), WireError> {
        let mut left = self.map(what)?;
        let mut seen = 0_u32;
        loop {
            match &mut left {
                Some(0) => break,
                Some(left) => *left -= 1,
                None if self.take_break() => break,
                None => {}
            }
            let key_at = self.at;
            let key = self.key()?;
            let Some(index) = known.iter().position(|known| known.name == key) else {
                if let Some(name) = unserved.iter().find(|name| **name == key) {
                    self.unserved.get_or_insert(name);
                }
                self.item()?;
                continue;
            };
            if seen & 1 << index != 0 {
                self.at = key_at;
                return Err(self.wrong(&format!("{key} comes twice")));
            }
            seen |= 1 << index;
            self.known_item(&known[index])?;
        }
        let missing = |(index, key): &(usize, &Key)| key.is_required && seen & 1 << index == 0;
        match known.iter().enumerate().find(missing) {
            None => Ok(()),
            Some((_, key)) => Err(self.wrong(&format!("{} is missing in {what}", key.name))),
        }
    }

    /// The value of a key that has a meaning.
    fn known_item(&mut self, key: &Key) -> Result<(), WireError> {
        let Some(first) = self.peek() else {
            return Err(self.wrong("the item ends early"));
        };
        let name = key.name;
        let is_of_kind = match (key.kind, first >> 5) {
            (_, TAG) => return Err(self.wrong(&format!("{name} carries a tag"))),
            (Kind::Uint | Kind::Seq, major) => major == UNSIGNED,
            (Kind::Text, major) => major == TEXT,
            (Kind::Body, major) => matches!(major, TEXT | BYTES),
            (Kind::Bool, _) => matches!(first, FALSE | TRUE),
            // One level and no more: no key of such a map is a map.
            (Kind::Map(keys), MAP) => return self.text_map(name, keys, &[]),
            (Kind::Map(_), _) => false,
        };
        if !is_of_kind {
            return Err(self.wrong(&format!("{name} must be {}", key.kind.in_words())));
        }
        let start = self.at;
        let head = self.head()?;
        match (head.major, head.argument) {
            (UNSIGNED, Some(0)) if matches!(key.kind, Kind::Seq) => {
                self.at = start;
                Err(self.wrong(&format!("{name} must be 1 or more")))
            }
            (TEXT, Some(length)) => self.text(length).map(drop),
            (BYTES, Some(length)) => self.skip(length).map(drop),
            (major @ (BYTES | TEXT), None) => {
                while !self.take_break() {
                    self.piece(major)?;
                }
                Ok(())
            }
            _ => Ok(()), // the head is all of it
        }
    }

    /// Any well-formed item, nested or not.
    fn item(&mut self) -> Result<(), WireError> {
        // Items still to come at each open level; `None` until a break.
        let mut open: [Option<u64>; MAX_DEPTH] = [None; MAX_DEPTH];
        open[0] = Some(1);
        let mut depth = 0;
        loop {
            match &mut open[depth] {
                Some(0) => {
                    if depth == 0 {
                        return Ok(());
                    }
                    depth -= 1;
                    continue;
                }
                Some(left) => *left -= 1,
                None if self.take_break() => {
                    depth -= 1;
                    continue;
                }
                None => {}
            }
            if let Some(inner) = self.step()? {
                depth += 1;
                if depth + 2 >= MAX_DEPTH {
                    return Err(self.wrong("the item nests too deep"));
                }
                open[depth] = inner;
            }
        }
    }

    /// One item's head and, where it is flat, its content. For a container: how
    /// many items it holds.
    fn step(&mut self) -> Result<Option<Option<u64>>, WireError> {
        let start = self.at;
        let head = self.head()?;
        match (head.major, head.argument) {
            (SIMPLE, Some(_)) => {
                self.simple(start)?;
                Ok(None)
            }
            (UNSIGNED | NEGATIVE, _) => Ok(None),
            (BYTES | TEXT, Some(length)) => self.skip(length).map(|_| None),
            (major @ (BYTES | TEXT), None) => {
                while !self.take_break() {
                    self.piece(major)?;
                }
                Ok(None)
            }
            // That a key of an indefinite map has its value is left to serde_cbor.
            (ARRAY, count) | (MAP, count @ None) => Ok(Some(count)),
            (MAP, Some(entries)) => match entries.checked_mul(2) {
                Some(items) => Ok(Some(Some(items))),
                None => Err(self.wrong("a map is longer than the frame")),
            },
            (TAG, _) => Ok(Some(Some(1))),
            (SIMPLE.., _) => Err(self.wrong("a break stands where an item must")),
        }
    }

    /// A simple value or a float, of which the head is all.
    fn simple(&mut self, start: usize) -> Result<(), WireError> {
        match self.bytes[start..self.at] {
            [0xe0..=0xf3] => self.replace(start, NULL),
            [SIMPLE_IN_NEXT_BYTE, value] if value >= 32 => {
                self.replace(start, UNSIGNED_IN_NEXT_BYTE)
            }
            [SIMPLE_IN_NEXT_BYTE, _] => return Err(self.wrong("the item is not well-formed cbor")),
            _ => {} // false, true, null, undefined, floats
        }
        Ok(())
    }

    /// Puts another head in place of a simple value without a meaning.
    fn replace(&mut self, at: usize, head: u8) {
        let plain = self.plain.get_or_insert_with(|| self.bytes.to_vec());
        plain[at] = head;
    }

    /// One piece of an indefinite string: definite, and of its kind.
    fn piece(&mut self, major: u8) -> Result<&'a str, WireError> {
        let head = self.head()?;
        match head.argument {
            Some(length) if head.major == major && major == TEXT => self.text(length),
            Some(length) if head.major == major => self.skip(length).map(|_| ""),
            _ => Err(self.wrong("a piece of a string is of another kind")),
        }
    }
}

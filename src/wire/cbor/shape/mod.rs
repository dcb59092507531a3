//! Checks the shape of a frame: one map with one entry, whose value is a map with text keys.
//!
//! The check uses a stack of fixed depth, so its cost is linear in the input's length. It refuses
//! nesting deeper than [`MAX_DEPTH`], which is far below the depth that serde_cbor's recursion
//! allows.

mod lists;

use std::borrow::Cow;

use super::keys::{self, Key, Kind};
use crate::wire::WireError;

/// The deepest nesting of an item, the frame's own two maps included.
const MAX_DEPTH: usize = 32;

/// A frame's name, and the bytes of its value.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) name: Cow<'a, str>,
    /// The name's offset in the item.
    pub(super) name_at: usize,
    pub(super) value: &'a [u8],
    /// The value's offset in the item.
    pub(super) value_at: usize,
    /// A copy of the value without unassigned simple values (RFC 8949, 3.3); `None` if it has
    /// none. They may occur under unknown keys, but serde_cbor fails on them. In the copy, items
    /// of the same length replace them.
    pub(super) plain: Option<Vec<u8>>,
}

/// Checks that `item` is exactly one well-formed frame.
pub(super) fn check(item: &[u8]) -> Result<Frame<'_>, WireError> {
    let mut walk = Walk {
        bytes: item,
        at: 0,
        plain: None,
    };
    let entries = walk.map("the item")?;
    if !matches!(entries, Some(1) | None) {
        return Err(walk.wrong("the item must be a map with one entry"));
    }
    let name_at = walk.at;
    let name = walk.key()?;
    let start = walk.at;
    walk.text_map("the frame's value", keys::of(&name))?;
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
        plain,
    })
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// A copy of `bytes` with unassigned simple values replaced; made when the first is found.
    plain: Option<Vec<u8>>,
}

/// The head of an item: its major type and its argument. `None` is an indefinite length.
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

    /// Reads a map's head. Returns the number of its entries; `None` is indefinite.
    fn map(&mut self, what: &str) -> Result<Option<u64>, WireError> {
        if self.peek().is_some_and(|byte| byte >> 5 != MAP) {
            return Err(self.wrong(&format!("{what} must be a map")));
        }
        Ok(self.head()?.argument)
    }

    /// Reads a text string that is a frame's name or a key.
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

    /// Reads a map with text keys, and checks the values of the `known` keys.
    fn text_map(&mut self, what: &str, known: &'static [Key]) -> Result<(), WireError> {
        let mut left = self.map(what)?;
        let mut seen = 0_u32;
        while self.goes_on(&mut left) {
            let key_at = self.at;
            let key = self.key()?;
            let Some(index) = known.iter().position(|known| known.name == key) else {
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

    /// Reads and checks the value of a known key.
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
            // The recursion ends here: no key of such a map has a map as its value.
            (Kind::Map(keys), MAP) => return self.text_map(name, keys),
            (Kind::Headers, MAP) => return self.headers(name),
            (Kind::Texts, ARRAY) => return self.texts(name),
            (Kind::Map(_) | Kind::Headers | Kind::Texts, _) => false,
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
            _ => Ok(()), // integers and booleans consist of their head
        }
    }

    /// Whether another entry of an array or a map follows; counts it, or takes the break.
    fn goes_on(&mut self, left: &mut Option<u64>) -> bool {
        match left {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => !self.take_break(),
        }
    }

    /// Reads any well-formed item with all items in it.
    fn item(&mut self) -> Result<(), WireError> {
        // The items that are still to come at each open level; `None` if a break ends the level.
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

    /// Reads one item's head, and its content unless it is a container. For a container, returns
    /// the number of items in it; `Some(None)` is indefinite.
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
            // serde_cbor checks that an indefinite map has a value for each key.
            (ARRAY, count) | (MAP, count @ None) => Ok(Some(count)),
            (MAP, Some(entries)) => match entries.checked_mul(2) {
                Some(items) => Ok(Some(Some(items))),
                None => Err(self.wrong("a map is longer than the frame")),
            },
            (TAG, _) => Ok(Some(Some(1))),
            (SIMPLE.., _) => Err(self.wrong("a break stands where an item must")),
        }
    }

    /// Checks a simple value or a float, which consists of its head.
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

    /// Replaces an unassigned simple value in the copy.
    fn replace(&mut self, at: usize, head: u8) {
        let plain = self.plain.get_or_insert_with(|| self.bytes.to_vec());
        plain[at] = head;
    }

    /// Reads a chunk of an indefinite-length string: a definite string of the same major type.
    fn piece(&mut self, major: u8) -> Result<&'a str, WireError> {
        let head = self.head()?;
        match head.argument {
            Some(length) if head.major == major && major == TEXT => self.text(length),
            Some(length) if head.major == major => self.skip(length).map(|_| ""),
            _ => Err(self.wrong("a piece of a string is of another kind")),
        }
    }
}

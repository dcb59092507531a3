//! The outline of a frame: one map with one entry, its value a map with text keys.
//!
//! The walk holds a fixed stack and allocates nothing, so that no input costs
//! more than its own length; nesting deeper than [`MAX_DEPTH`] is refused, well
//! below the depth at which serde_cbor's recursion would matter.

use crate::wire::WireError;

/// How deep an item may nest, the frame's own two maps included.
const MAX_DEPTH: usize = 32;

/// Keys that the contract gives a meaning; their values carry no tags. Under
/// any other key anything well-formed may stand, and is ignored.
const KNOWN_KEYS: &[&str] = &[
    "id", "user", "password", "resume", "stream", "after", "body", "seq", "now",
];

/// A frame's name, and the bytes of its value.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a [u8],
}

/// Checks that `item` is one well-formed frame and nothing after it.
pub(super) fn check(item: &[u8]) -> Result<Frame<'_>, WireError> {
    let mut walk = Walk { bytes: item, at: 0 };
    let entries = walk.map("the item")?;
    if !matches!(entries, Some(1) | None) {
        return Err(walk.wrong("the item must be a map with one entry"));
    }
    let name = walk.key()?;
    let start = walk.at;
    walk.text_map("the frame's value")?;
    let value = &item[start..walk.at];
    if entries.is_none() && !walk.take_break() {
        return Err(walk.wrong("the item must be a map with one entry"));
    }
    if walk.at != item.len() {
        return Err(walk.wrong("nothing may follow the item"));
    }
    Ok(Frame { name, value })
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
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
const BREAK: u8 = 0xff;

impl<'a> Walk<'a> {
    fn wrong(&self, what: &str) -> WireError {
        WireError::bad_frame(format!("{what} (at byte {} of the frame)", self.at))
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

    /// A definite text string: what every frame's name and key is.
    fn key(&mut self) -> Result<&'a str, WireError> {
        let head = self.head()?;
        let (TEXT, Some(length)) = (head.major, head.argument) else {
            return Err(self.wrong("a key must be a text string of definite length"));
        };
        let content = self.skip(length)?;
        std::str::from_utf8(content).map_err(|_| self.wrong("a key is not utf-8"))
    }

    /// A map with text keys, over which it walks to its end.
    fn text_map(&mut self, what: &str) -> Result<(), WireError> {
        let mut left = self.map(what)?;
        loop {
            match &mut left {
                Some(0) => return Ok(()),
                Some(left) => *left -= 1,
                None if self.take_break() => return Ok(()),
                None => {}
            }
            let key = self.key()?;
            let known = KNOWN_KEYS.contains(&key);
            if known && self.peek().is_some_and(|byte| byte >> 5 == TAG) {
                return Err(self.wrong(&format!("{key} carries a tag")));
            }
            match key {
                "resume" => self.text_map(key)?,
                _ => self.item()?,
            }
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
        let head = self.head()?;
        match (head.major, head.argument) {
            (UNSIGNED | NEGATIVE, _) => Ok(None),
            (BYTES | TEXT, Some(length)) => self.skip(length).map(|_| None),
            (major @ (BYTES | TEXT), None) => self.pieces(major).map(|()| None),
            // That a key of an indefinite map has its value is left to serde_cbor.
            (ARRAY, count) | (MAP, count @ None) => Ok(Some(count)),
            (MAP, Some(entries)) => match entries.checked_mul(2) {
                Some(items) => Ok(Some(Some(items))),
                None => Err(self.wrong("a map is longer than the frame")),
            },
            (TAG, _) => Ok(Some(Some(1))),
            _ => Ok(None), // simple values and floats: the head is all
        }
    }

    /// The pieces of an indefinite string, each definite and of its kind.
    fn pieces(&mut self, major: u8) -> Result<(), WireError> {
        while !self.take_break() {
            let head = self.head()?;
            match head.argument {
                Some(length) if head.major == major => self.skip(length)?,
                _ => return Err(self.wrong("a piece of a string is of another kind")),
            };
        }
        Ok(())
    }
}

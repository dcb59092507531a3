//! Checks the values that hold several text strings.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::{TEXT, Walk};
use crate::wire::{MOST_HEADERS, WireError};

impl<'a> Walk<'a> {
    /// Reads an array of text strings.
    pub(super) fn texts(&mut self, name: &str) -> Result<(), WireError> {
        let mut left = self.head()?.argument;
        while self.goes_on(&mut left) {
            self.text_item(name)?;
        }
        Ok(())
    }

    /// Reads a map of text strings to text strings, in which no key comes twice. Keys beyond the
    /// most that a message may have are not compared, as such a message is refused.
    pub(super) fn headers(&mut self, name: &str) -> Result<(), WireError> {
        let mut left = self.head()?.argument;
        let mut seen: SmallVec<[Cow<'a, str>; 8]> = SmallVec::new();
        while self.goes_on(&mut left) {
            let key_at = self.at;
            let key = self.key()?;
            if seen.contains(&key) {
                self.at = key_at;
                return Err(self.wrong(&format!("a key of {name} comes twice")));
            }
            if seen.len() < MOST_HEADERS {
                seen.push(key);
            }
            self.text_item(name)?;
        }
        Ok(())
    }

    /// Reads a text string in an array or a map.
    fn text_item(&mut self, name: &str) -> Result<(), WireError> {
        if self.peek().is_some_and(|byte| byte >> 5 != TEXT) {
            return Err(self.wrong(&format!("{name} must hold text strings")));
        }
        self.key().map(drop)
    }
}

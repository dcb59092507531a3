//! The headers of a message.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::text::Text;

/// The largest number of headers of a message.
pub const MOST_HEADERS: usize = 32;

/// The largest length of the names and values of a message's headers together, in bytes of UTF-8.
pub const LONGEST_HEADERS: usize = 4096;

/// The headers of a message: names and values. The server passes them on unchanged, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Headers<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Headers<'a> {
    /// Adds a header. The caller must not add a name twice; this is not checked.
    pub fn push(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        self.0.push((name.into(), value.into()));
    }

    /// Sets a header, in place of an earlier one of the same name.
    pub fn set(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.push(name, value),
        }
    }

    /// Returns the same headers without borrowed data.
    pub fn into_owned(self) -> Headers<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let headers = self.0.into_iter();
        Headers(
            headers
                .map(|(name, value)| (owned(name), owned(value)))
                .collect(),
        )
    }
}

impl Headers<'_> {
    /// Returns the names and the values in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Returns the value of a header. Names are compared exactly.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut headers = self.iter();
        headers.find_map(|(known, value)| (known == name).then_some(value))
    }

    /// Returns the number of headers. Decoding keeps at most [`MOST_HEADERS`] + 1 headers, so a
    /// frame with more of them has this number.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no headers.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the length of all names and values together, in bytes.
    pub fn bytes(&self) -> usize {
        self.iter()
            .map(|(name, value)| name.len() + value.len())
            .sum()
    }
}

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        self.iter()
            .try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        map.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Headers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeadersVisitor)
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of text strings")
    }

    /// Keeps at most one header above [`MOST_HEADERS`]. It shows the check that there are too many,
    /// and memory stays bounded.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut headers = Headers::default();
        while headers.len() <= MOST_HEADERS {
            let Some((Text(name), Text(value))) = map.next_entry()? else {
                return Ok(headers);
            };
            headers.push(name, value);
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(headers)
    }
}

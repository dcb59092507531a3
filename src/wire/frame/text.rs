//! (De)serializes text strings. serde's own `Cow<str>` would also accept byte strings, and would
//! not borrow.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::Serializer;

pub(super) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Cow<'de, str>, D::Error> {
    deserializer.deserialize_str(TextVisitor)
}

/// A text string inside of another value.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Text)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    // An indefinite-length string arrives in pieces and cannot be borrowed.
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// (De)serializes an optional key: it is absent or has a text string. `null` is refused.
pub(super) mod optional {
    use std::borrow::Cow;

    use serde::ser::Serialize;
    use serde::{Deserializer, Serializer};

    pub(in crate::wire::frame) fn serialize<S: Serializer>(
        text: &Option<Cow<'_, str>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        text.serialize(serializer)
    }

    pub(in crate::wire::frame) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Cow<'de, str>>, D::Error> {
        super::deserialize(deserializer).map(Some)
    }
}

/// A list of text strings. Decoding keeps at most the first [`Texts::MOST`] + 1 of them.
pub(super) struct Texts<'a>(pub(super) Vec<Cow<'a, str>>);

impl Texts<'_> {
    /// A number of texts above the limit of every server. Bounds the memory that a list of empty
    /// strings takes.
    pub(super) const MOST: usize = 65_536;

    /// The largest number of texts for which memory is allocated in advance.
    const EXPECTED: usize = 1024;
}

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of text strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let expected = list.size_hint().unwrap_or_default().min(Texts::EXPECTED);
        let mut texts = Vec::with_capacity(expected);
        while let Some(Text(text)) = list.next_element()? {
            if texts.len() <= Texts::MOST {
                texts.push(text);
            }
        }
        Ok(Texts(texts))
    }
}

/// (De)serializes a list of text strings.
pub(super) mod list {
    use std::borrow::Cow;

    use serde::ser::Serialize;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Texts;

    pub(in crate::wire::frame) fn serialize<S: Serializer>(
        texts: &[Cow<'_, str>],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        texts.serialize(serializer)
    }

    pub(in crate::wire::frame) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Cow<'de, str>>, D::Error> {
        Texts::deserialize(deserializer).map(|texts| texts.0)
    }
}

/// (De)serializes an optional key: it is absent or has a list of text strings.
pub(super) mod optional_list {
    use std::borrow::Cow;

    use serde::ser::Serialize;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Texts;

    pub(in crate::wire::frame) fn serialize<S: Serializer>(
        texts: &Option<Vec<Cow<'_, str>>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        texts.serialize(serializer)
    }

    pub(in crate::wire::frame) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<Cow<'de, str>>>, D::Error> {
        Texts::deserialize(deserializer).map(|texts| Some(texts.0))
    }
}

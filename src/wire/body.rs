//! The body of a request, a reply or a message: text, or bytes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

/// Text or bytes; on the wire a CBOR text string or byte string.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Body<'a> {
    /// UTF-8 text.
    Text(Cow<'a, str>),
    /// Anything else.
    Bytes(Cow<'a, [u8]>),
}

impl<'a> Body<'a> {
    /// Creates a text body that borrows `text`.
    pub fn text(text: &'a str) -> Self {
        Body::Text(Cow::Borrowed(text))
    }

    /// Creates a byte-string body that borrows `bytes`.
    pub fn bytes(bytes: &'a [u8]) -> Self {
        Body::Bytes(Cow::Borrowed(bytes))
    }

    /// Returns the same body without borrowed data.
    pub fn into_owned(self) -> Body<'static> {
        match self {
            Body::Text(text) => Body::Text(Cow::Owned(text.into_owned())),
            Body::Bytes(bytes) => Body::Bytes(Cow::Owned(bytes.into_owned())),
        }
    }

    /// Returns the text, or `None` for a byte string.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Body::Text(text) => Some(text),
            Body::Bytes(_) => None,
        }
    }

    /// Returns the bytes; for text they are its UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Body::Text(text) => text.as_bytes(),
            Body::Bytes(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Body::Text(text) => fmt::Debug::fmt(text, f),
            Body::Bytes(bytes) => write!(f, "h'{}'", Hex(bytes)),
        }
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<String> for Body<'static> {
    fn from(text: String) -> Self {
        Body::Text(Cow::Owned(text))
    }
}

impl From<Vec<u8>> for Body<'static> {
    fn from(bytes: Vec<u8>) -> Self {
        Body::Bytes(Cow::Owned(bytes))
    }
}

impl<'a> From<&'a str> for Body<'a> {
    fn from(text: &'a str) -> Self {
        Body::text(text)
    }
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Body::Text(text) => serializer.serialize_str(text),
            Body::Bytes(bytes) => serializer.serialize_bytes(bytes),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Body<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text string or a byte string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Body::text(text))
    }

    // An indefinite-length string arrives in pieces and cannot be borrowed.
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Body::from(text.to_owned()))
    }

    fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
        Ok(Body::bytes(bytes))
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(Body::from(bytes.to_vec()))
    }
}

//! The frames of messages: `publish`, `published`, `message`, `kept`, `passed`.

use std::borrow::Cow;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::headers::Headers;
use super::optional::{is_false, put};
use super::{present, text};
use crate::wire::{Body, Millis, Seq};

/// A frame that broadcasts a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Publish<'a> {
    /// The id that the client chose. The answer has the same id.
    pub id: u64,
    /// The message: text or bytes.
    pub body: Body<'a>,
    /// The topic, not yet checked.
    pub topic: Option<Cow<'a, str>>,
    /// The keys that few messages have; `None` if the message has none of them.
    pub options: Option<Box<PublishOptions<'a>>>,
}

/// The keys of a `publish` that few messages have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishOptions<'a> {
    /// The headers, which the server passes on unchanged.
    pub headers: Option<Headers<'a>>,
    /// Whether the message becomes its topic's kept value.
    pub keep: Option<bool>,
    /// The only user that gets the message, not yet checked.
    pub to: Option<Cow<'a, str>>,
    /// The name under which `n` counts.
    pub producer: Option<Cow<'a, str>>,
    /// The number of the message among the producer's, from 1.
    pub n: Option<u64>,
}

impl<'a> Publish<'a> {
    /// Creates a message without a topic.
    pub fn new(id: u64, body: Body<'a>) -> Self {
        Publish {
            id,
            body,
            topic: None,
            options: None,
        }
    }

    /// Whether readers get a body and nothing beside it: there is no topic, header, `keep` or `to`.
    #[inline]
    pub fn has_body_alone(&self) -> bool {
        let options = self.options.as_deref();
        self.topic.is_none()
            && options.is_none_or(|options| {
                options.headers.is_none() && !self.is_kept() && options.to.is_none()
            })
    }

    /// Whether the message is to become its topic's kept value.
    #[inline]
    pub fn is_kept(&self) -> bool {
        self.options
            .as_deref()
            .is_some_and(|options| options.keep == Some(true))
    }

    /// The only user that is to get the message.
    pub fn to(&self) -> Option<&str> {
        self.options.as_deref()?.to.as_deref()
    }

    /// Returns the same frame without borrowed data.
    pub fn into_owned(self) -> Publish<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Publish {
            id: self.id,
            body: self.body.into_owned(),
            topic: self.topic.map(owned),
            options: self.options.map(|options| {
                Box::new(PublishOptions {
                    headers: options.headers.map(Headers::into_owned),
                    keep: options.keep,
                    to: options.to.map(owned),
                    producer: options.producer.map(owned),
                    n: options.n,
                })
            }),
        }
    }
}

impl Serialize for Publish<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(options) = self.options.as_deref() else {
            let keys = 2 + usize::from(self.topic.is_some());
            let mut map = serializer.serialize_struct("Publish", keys)?;
            map.serialize_field("id", &self.id)?;
            map.serialize_field("body", &self.body)?;
            put(&mut map, "topic", self.topic.as_ref())?;
            return map.end();
        };
        let PublishOptions {
            headers,
            keep,
            to,
            producer,
            n,
        } = options;
        let optional = [
            self.topic.is_some(),
            headers.is_some(),
            keep.is_some(),
            to.is_some(),
            producer.is_some(),
            n.is_some(),
        ];
        let keys = 2 + optional.iter().filter(|is_there| **is_there).count();
        let mut map = serializer.serialize_struct("Publish", keys)?;
        map.serialize_field("id", &self.id)?;
        map.serialize_field("body", &self.body)?;
        put(&mut map, "topic", self.topic.as_ref())?;
        put(&mut map, "headers", headers.as_ref())?;
        put(&mut map, "keep", keep.as_ref())?;
        put(&mut map, "to", to.as_ref())?;
        put(&mut map, "producer", producer.as_ref())?;
        put(&mut map, "n", n.as_ref())?;
        map.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Publish<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = PublishKeys::deserialize(deserializer)?;
        let options = PublishOptions {
            headers: keys.headers,
            keep: keys.keep,
            to: keys.to,
            producer: keys.producer,
            n: keys.n,
        };
        Ok(Publish {
            id: keys.id,
            body: keys.body,
            topic: keys.topic,
            options: (options != PublishOptions::default()).then(|| Box::new(options)),
        })
    }
}

/// The keys of a `publish`, as they are in its map.
#[derive(Deserialize)]
struct PublishKeys<'a> {
    id: u64,
    #[serde(borrow)]
    body: Body<'a>,
    #[serde(borrow, default, with = "text::optional")]
    topic: Option<Cow<'a, str>>,
    #[serde(borrow, default, with = "present")]
    headers: Option<Headers<'a>>,
    #[serde(default, with = "present")]
    keep: Option<bool>,
    #[serde(borrow, default, with = "text::optional")]
    to: Option<Cow<'a, str>>,
    #[serde(borrow, default, with = "text::optional")]
    producer: Option<Cow<'a, str>>,
    #[serde(default, with = "present")]
    n: Option<u64>,
}

/// The answer to a `publish`: the message was accepted and has a seq.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The publish frame's id.
    pub id: u64,
    /// The message's seq. With `repeated`, 0 if it is no longer known.
    pub seq: Seq,
    /// Whether the message was published before, by an earlier frame of the same producer and
    /// number.
    #[serde(default, skip_serializing_if = "is_false")]
    pub repeated: bool,
}

impl Published {
    /// Creates the answer to a message that was not published before.
    pub fn new(id: u64, seq: Seq) -> Self {
        Published {
            id,
            seq,
            repeated: false,
        }
    }
}

/// A user's message. As a `message` frame it is a broadcast; as a `kept` frame it is the kept value
/// of its topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message<'a> {
    /// The message's position in the stream.
    pub seq: Seq,
    /// The user that published it.
    #[serde(borrow, with = "text")]
    pub from: Cow<'a, str>,
    /// The time at which the message got its seq.
    pub at: Millis,
    /// The message: text or bytes.
    #[serde(borrow)]
    pub body: Body<'a>,
    /// The message's topic.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "text::optional"
    )]
    pub topic: Option<Cow<'a, str>>,
    /// The headers, as they were published.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "present"
    )]
    pub headers: Option<Headers<'a>>,
    /// Whether the message became its topic's kept value.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keep: bool,
    /// The only user that gets the message.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "text::optional"
    )]
    pub to: Option<Cow<'a, str>>,
}

impl<'a> Message<'a> {
    /// Creates a message without a topic.
    pub fn new(seq: Seq, from: impl Into<Cow<'a, str>>, at: Millis, body: Body<'a>) -> Self {
        Message {
            seq,
            from: from.into(),
            at,
            body,
            topic: None,
            headers: None,
            keep: false,
            to: None,
        }
    }
}

/// Reports that the broadcasts up to `to` that were not sent were not for this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// The last seq that was not for the session.
    pub to: Seq,
}

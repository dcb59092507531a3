//! The frames of requests: `request`, `reply`.

use std::borrow::Cow;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::headers::Headers;
use super::optional::put;
use super::{present, text};
use crate::wire::Body;

/// A frame that asks the endpoint's handler, or a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Request<'a> {
    /// The id that the client chose. The answer has the same id.
    pub id: u64,
    /// The request: text or bytes.
    pub body: Body<'a>,
    /// The keys of the feature `services`; `None` if the request has none of them.
    pub options: Option<Box<RequestOptions<'a>>>,
}

/// The keys of a `request` that belong to the feature `services`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestOptions<'a> {
    /// The service that is to answer, not yet checked; `None` for the endpoint's handler.
    pub service: Option<Cow<'a, str>>,
    /// The time within which the answer is expected, in milliseconds, not yet checked.
    pub timeout: Option<u64>,
    /// The headers, which the server passes on unchanged.
    pub headers: Option<Headers<'a>>,
}

impl<'a> Request<'a> {
    /// Creates a request to the endpoint's handler.
    pub fn new(id: u64, body: Body<'a>) -> Self {
        Request {
            id,
            body,
            options: None,
        }
    }

    /// The service that is to answer; `None` for the endpoint's handler.
    #[inline]
    pub fn service(&self) -> Option<&str> {
        self.options.as_deref()?.service.as_deref()
    }

    /// Returns the same frame without borrowed data.
    pub fn into_owned(self) -> Request<'static> {
        Request {
            id: self.id,
            body: self.body.into_owned(),
            options: self.options.map(|options| {
                Box::new(RequestOptions {
                    service: options.service.map(|name| Cow::Owned(name.into_owned())),
                    timeout: options.timeout,
                    headers: options.headers.map(Headers::into_owned),
                })
            }),
        }
    }
}

impl Serialize for Request<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let none = RequestOptions::default();
        let RequestOptions {
            service,
            timeout,
            headers,
        } = self.options.as_deref().unwrap_or(&none);
        let optional = [service.is_some(), timeout.is_some(), headers.is_some()];
        let keys = 2 + optional.iter().filter(|is_there| **is_there).count();
        let mut map = serializer.serialize_struct("Request", keys)?;
        map.serialize_field("id", &self.id)?;
        map.serialize_field("body", &self.body)?;
        put(&mut map, "service", service.as_ref())?;
        put(&mut map, "timeout", timeout.as_ref())?;
        put(&mut map, "headers", headers.as_ref())?;
        map.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Request<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = RequestKeys::deserialize(deserializer)?;
        let options = RequestOptions {
            service: keys.service,
            timeout: keys.timeout,
            headers: keys.headers,
        };
        Ok(Request {
            id: keys.id,
            body: keys.body,
            options: (options != RequestOptions::default()).then(|| Box::new(options)),
        })
    }
}

/// The keys of a `request`, as they are in its map.
#[derive(Deserialize)]
struct RequestKeys<'a> {
    id: u64,
    #[serde(borrow)]
    body: Body<'a>,
    #[serde(borrow, default, with = "text::optional")]
    service: Option<Cow<'a, str>>,
    #[serde(default, with = "present")]
    timeout: Option<u64>,
    #[serde(borrow, default, with = "present")]
    headers: Option<Headers<'a>>,
}

/// The answer of a handler, or of a service, to a `request`.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplyFrame<'a> {
    /// The request frame's id.
    pub id: u64,
    /// The reply: text or bytes.
    pub body: Body<'a>,
    /// The keys that replies of services have; `None` if the reply has none of them.
    pub options: Option<Box<ReplyOptions<'a>>>,
}

/// The keys of a `reply` that belong to the feature `services`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplyOptions<'a> {
    /// The user that answered; always present in the reply of a service.
    pub from: Option<Cow<'a, str>>,
    /// The headers of the answer.
    pub headers: Option<Headers<'a>>,
}

impl<'a> ReplyFrame<'a> {
    /// Creates the reply of a handler.
    pub fn new(id: u64, body: Body<'a>) -> Self {
        ReplyFrame {
            id,
            body,
            options: None,
        }
    }
}

impl Serialize for ReplyFrame<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let none = ReplyOptions::default();
        let ReplyOptions { from, headers } = self.options.as_deref().unwrap_or(&none);
        let keys = 2 + usize::from(from.is_some()) + usize::from(headers.is_some());
        let mut map = serializer.serialize_struct("ReplyFrame", keys)?;
        map.serialize_field("id", &self.id)?;
        map.serialize_field("body", &self.body)?;
        put(&mut map, "from", from.as_ref())?;
        put(&mut map, "headers", headers.as_ref())?;
        map.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ReplyFrame<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = ReplyKeys::deserialize(deserializer)?;
        let options = ReplyOptions {
            from: keys.from,
            headers: keys.headers,
        };
        Ok(ReplyFrame {
            id: keys.id,
            body: keys.body,
            options: (options != ReplyOptions::default()).then(|| Box::new(options)),
        })
    }
}

/// The keys of a `reply`, as they are in its map.
#[derive(Deserialize)]
struct ReplyKeys<'a> {
    id: u64,
    #[serde(borrow)]
    body: Body<'a>,
    #[serde(borrow, default, with = "text::optional")]
    from: Option<Cow<'a, str>>,
    #[serde(borrow, default, with = "present")]
    headers: Option<Headers<'a>>,
}

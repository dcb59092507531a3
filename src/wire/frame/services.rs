//! The frames of services: `offer`, `withdraw`, `withdrawn`, `call`, `answer`, `cancelled`.

use std::borrow::Cow;

use serde::de::Error;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::headers::Headers;
use super::optional::put;
use super::{present, text};
use crate::wire::Body;

/// A frame that offers to answer the requests to a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer<'a> {
    /// The id that the client chose. The answer has the same id.
    pub id: u64,
    /// The service's name, not yet checked.
    #[serde(borrow, with = "text")]
    pub service: Cow<'a, str>,
    /// The largest number of calls that the session takes at once, from 1, not yet checked.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub limit: Option<u64>,
}

impl Offer<'_> {
    /// Returns the same frame without borrowed data.
    pub fn into_owned(self) -> Offer<'static> {
        Offer {
            id: self.id,
            service: Cow::Owned(self.service.into_owned()),
            limit: self.limit,
        }
    }
}

/// A frame that ends an offer: the session takes no new calls of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdraw<'a> {
    /// The id that the client chose. The answer has the same id.
    pub id: u64,
    /// The service's name.
    #[serde(borrow, with = "text")]
    pub service: Cow<'a, str>,
}

impl Withdraw<'_> {
    /// Returns the same frame without borrowed data.
    pub fn into_owned(self) -> Withdraw<'static> {
        Withdraw {
            id: self.id,
            service: Cow::Owned(self.service.into_owned()),
        }
    }
}

/// Reports that an offer has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn<'a> {
    /// The id of the withdraw frame that this frame answers; absent if it answers none.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub id: Option<u64>,
    /// The service's name.
    #[serde(borrow, with = "text")]
    pub service: Cow<'a, str>,
}

/// A request to a service, as the session gets it that is to answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallFrame<'a> {
    /// The call's number, unique in the session. The answer has the same number.
    pub call: u64,
    /// The service's name.
    #[serde(borrow, with = "text")]
    pub service: Cow<'a, str>,
    /// The user that asks.
    #[serde(borrow, with = "text")]
    pub from: Cow<'a, str>,
    /// The request: text or bytes.
    #[serde(borrow)]
    pub body: Body<'a>,
    /// The time within which the answer is expected, in milliseconds.
    pub remaining: u64,
    /// The headers of the request.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "present"
    )]
    pub headers: Option<Headers<'a>>,
}

/// A frame that answers a call. The frame has no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerFrame<'a> {
    /// The call's number.
    pub call: u64,
    /// The answer's body and its headers, or the error of the service.
    pub result: Result<(Body<'a>, Option<Headers<'a>>), AnswerError<'a>>,
}

/// The reason of a service not to answer a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerError<'a> {
    /// The code, for programs: a name that the service chooses.
    #[serde(borrow, with = "text")]
    pub code: Cow<'a, str>,
    /// The message, for people.
    #[serde(borrow, with = "text")]
    pub message: Cow<'a, str>,
}

impl AnswerFrame<'_> {
    /// Returns the same frame without borrowed data.
    pub fn into_owned(self) -> AnswerFrame<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        AnswerFrame {
            call: self.call,
            result: match self.result {
                Ok((body, headers)) => Ok((body.into_owned(), headers.map(Headers::into_owned))),
                Err(error) => Err(AnswerError {
                    code: owned(error.code),
                    message: owned(error.message),
                }),
            },
        }
    }
}

impl Serialize for AnswerFrame<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let headers = self.result.as_ref().map(|(_, headers)| headers.as_ref());
        let headers = headers.unwrap_or_default();
        let keys = 2 + usize::from(headers.is_some());
        let mut map = serializer.serialize_struct("AnswerFrame", keys)?;
        map.serialize_field("call", &self.call)?;
        match &self.result {
            Ok((body, _)) => map.serialize_field("body", body)?,
            Err(error) => map.serialize_field("error", error)?,
        }
        put(&mut map, "headers", headers)?;
        map.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for AnswerFrame<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = AnswerKeys::deserialize(deserializer)?;
        let result = match (keys.body, keys.error) {
            (Some(body), None) => Ok((body, keys.headers)),
            (None, Some(error)) => Err(error),
            (None, None) => return Err(D::Error::custom("it has neither body nor error")),
            (Some(_), Some(_)) => return Err(D::Error::custom("it has both body and error")),
        };
        Ok(AnswerFrame {
            call: keys.call,
            result,
        })
    }
}

/// The keys of an `answer`, as they are in its map.
#[derive(Deserialize)]
struct AnswerKeys<'a> {
    call: u64,
    #[serde(borrow, default, with = "present")]
    body: Option<Body<'a>>,
    #[serde(borrow, default, with = "present")]
    headers: Option<Headers<'a>>,
    #[serde(borrow, default, with = "present")]
    error: Option<AnswerError<'a>>,
}

/// Reports that an answer to a call is no longer expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// The call's number.
    pub call: u64,
}

//! The frames for operators, which are additions to the contract: the lists of sessions, topics and
//! services.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::optional::is_false;
use super::{present, text};
use crate::topic::Pattern;
use crate::wire::{ErrorCode, Millis, Quote, Seq, SessionId, WireError};

/// The list of sessions, for operators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionList<'a> {
    /// The sessions frame's id.
    pub id: u64,
    /// The sessions, in the order of their numbers.
    #[serde(borrow)]
    pub sessions: Vec<SessionLine<'a>>,
}

/// One session, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionLine<'a> {
    /// The session's number.
    pub session: SessionId,
    /// The session's user; absent before the login.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Cow<'a, str>>,
    /// The listener that accepted the session's connection.
    #[serde(borrow, with = "text")]
    pub endpoint: Cow<'a, str>,
    /// The peer, as the system identifies it: `pid 7 uid 1000`, an address.
    #[serde(borrow, with = "text")]
    pub peer: Cow<'a, str>,
    /// The time at which the client connected.
    pub since: Millis,
    /// The last broadcast written to the session's connection.
    pub sent: Seq,
}

/// A frame that asks for a part of the list of topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicQuery<'a> {
    /// The id that the client chose. The answer has the same id.
    pub id: u64,
    /// Selects the topics that it matches, not yet checked; `None` for all topics.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "text::optional"
    )]
    pub pattern: Option<Cow<'a, str>>,
    /// The list begins behind this name, in the order of bytes.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "text::optional"
    )]
    pub after: Option<Cow<'a, str>>,
}

impl TopicQuery<'_> {
    /// Returns the same frame without borrowed data.
    pub fn into_owned(self) -> TopicQuery<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        TopicQuery {
            id: self.id,
            pattern: self.pattern.map(owned),
            after: self.after.map(owned),
        }
    }

    /// Checks the pattern, and returns it.
    ///
    /// # Errors
    /// Returns `bad-topic`. The message names the problem and its position.
    pub fn check(&self) -> Result<Option<Pattern<'_>>, WireError> {
        let Some(text) = self.pattern.as_deref() else {
            return Ok(None);
        };
        Pattern::new(text).map(Some).map_err(|error| WireError {
            code: ErrorCode::BadTopic,
            message: format!("the pattern {} is wrong: {error}", Quote::new(text)),
        })
    }
}

/// A part of the list of topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicList<'a> {
    /// The topics frame's id.
    pub id: u64,
    /// The topics, in the order of their names' bytes.
    #[serde(borrow)]
    pub topics: Vec<TopicLine<'a>>,
    /// Whether there are topics behind the last one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
}

/// One topic, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicLine<'a> {
    /// The topic.
    #[serde(borrow, with = "text")]
    pub topic: Cow<'a, str>,
    /// The seq of the newest message that the server holds.
    pub seq: Seq,
    /// The count of messages that the server holds in memory.
    pub held: u64,
    /// The seq of the kept value; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub kept: Option<Seq>,
}

/// A frame that asks for a part of the list of services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceQuery<'a> {
    /// The id that the client chose. The answer has the same id.
    pub id: u64,
    /// The list begins behind this name, in the order of bytes; absent for the first part.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "text::optional"
    )]
    pub after: Option<Cow<'a, str>>,
}

impl ServiceQuery<'_> {
    /// Returns the same frame without borrowed data.
    pub fn into_owned(self) -> ServiceQuery<'static> {
        ServiceQuery {
            id: self.id,
            after: self.after.map(|after| Cow::Owned(after.into_owned())),
        }
    }
}

/// A part of the list of services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceList<'a> {
    /// The services frame's id.
    pub id: u64,
    /// The services, in the order of their names' bytes.
    #[serde(borrow)]
    pub services: Vec<ServiceLine<'a>>,
    /// Whether there are services behind the last one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
}

/// One service, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceLine<'a> {
    /// The service's name.
    #[serde(borrow, with = "text")]
    pub service: Cow<'a, str>,
    /// The offers, in the order of their sessions' numbers.
    #[serde(borrow)]
    pub offers: Vec<OfferLine<'a>>,
    /// The number of calls that wait for a free responder.
    pub waiting: u64,
    /// The number of calls that were answered, since the server's start.
    pub answered: u64,
    /// The number of calls that got an error instead, since the server's start.
    pub failed: u64,
    /// The median of the recent times from a request to its answer, in microseconds; absent if there
    /// are none.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub p50_us: Option<u64>,
    /// The 99th percentile of the same times, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub p99_us: Option<u64>,
}

impl ServiceLine<'_> {
    /// Returns the same line without borrowed data.
    pub fn into_owned(self) -> ServiceLine<'static> {
        let offers = self.offers.into_iter().map(OfferLine::into_owned);
        ServiceLine {
            service: Cow::Owned(self.service.into_owned()),
            offers: offers.collect(),
            ..self
        }
    }
}

/// One session's offer of a service, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferLine<'a> {
    /// The session's number.
    pub session: SessionId,
    /// The session's user.
    #[serde(borrow, with = "text")]
    pub user: Cow<'a, str>,
    /// The largest number of calls that the session takes at once; absent if it set none.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub limit: Option<u64>,
    /// The number of calls that the session has in work.
    pub in_work: u64,
}

impl OfferLine<'_> {
    /// Returns the same line without borrowed data.
    pub fn into_owned(self) -> OfferLine<'static> {
        OfferLine {
            user: Cow::Owned(self.user.into_owned()),
            ..self
        }
    }
}

//! The frames of the contract, as types. The dialects encode and decode the frames.
//!
//! A decoded frame borrows from its buffer, so that the server copies a frame at most once.

mod cursors;
mod features;
mod headers;
mod lists;
mod login;
mod message;
mod optional;
mod ranges;
mod request;
mod services;
mod subscribe;
mod text;

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::cursors::{CursorKey, CursorLine, CursorList, CursorRemoved, Cursors, RemoveCursor};
pub use self::features::Features;
pub use self::headers::{Headers, LONGEST_HEADERS, MOST_HEADERS};
pub use self::lists::{
    OfferLine, ServiceLine, ServiceList, ServiceQuery, SessionLine, SessionList, TopicLine,
    TopicList, TopicQuery,
};
pub use self::login::{LoggedIn, Login, LoginOptions, Resume, Role, Welcome};
pub use self::message::{Message, Passed, Publish, PublishOptions, Published};
pub use self::ranges::{LONGEST_LABEL, LONGEST_TIMEOUT};
pub use self::request::{ReplyFrame, ReplyOptions, Request, RequestOptions};
pub use self::services::{
    AnswerError, AnswerFrame, CallFrame, Cancelled, Offer, Withdraw, Withdrawn,
};
pub use self::subscribe::{Subscribe, Subscribed};
use super::quote::{LONGEST_TEXT, limited};
use super::{CloseReason, ErrorCode, Millis, Named, Phase, Seq, StopReason};

/// The version of the protocol that this crate speaks.
pub const VERSION: u64 = 1;

/// A frame that a client sends.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientFrame<'a> {
    /// Logs in; an unknown name is registered.
    Login(Box<Login<'a>>),
    /// Sends a request to the endpoint's handler, or to a service.
    Request(Request<'a>),
    /// Broadcasts a message.
    Publish(Publish<'a>),
    /// Changes the session's filter.
    Subscribe(Box<Subscribe<'a>>),
    /// Asks for the users that are logged in.
    Who(IdFrame),
    /// Asks for a `pong`.
    Ping(IdFrame),
    /// Acknowledges broadcasts. The frame has no answer.
    Ack(Ack),
    /// Ends the session.
    Fim(IdFrame),
    /// Stops the server.
    Shutdown(Shutdown),
    /// Asks for the list of sessions: an addition to the contract, for operators.
    Sessions(IdFrame),
    /// Asks for the list of topics: an addition to the contract, for operators.
    Topics(Box<TopicQuery<'a>>),
    /// Asks for the list of cursors: an addition to the contract, for operators.
    Cursors(Box<Cursors<'a>>),
    /// Removes a cursor: an addition to the contract, for operators.
    RemoveCursor(Box<RemoveCursor<'a>>),
    /// Offers to answer the requests to a service.
    Offer(Offer<'a>),
    /// Ends an offer.
    Withdraw(Withdraw<'a>),
    /// Answers a call of a service. The frame has no answer.
    Answer(AnswerFrame<'a>),
    /// Asks for the list of services: an addition to the contract, for operators.
    Services(Box<ServiceQuery<'a>>),
    /// A frame that belongs, or has a key that belongs, to a feature that the server knows but does
    /// not support.
    #[serde(skip)]
    Unserved(Unserved),
}

impl ClientFrame<'_> {
    /// Returns the id that the answer to the frame has; `None` for an `ack` and an `answer`.
    pub fn id(&self) -> Option<u64> {
        match self {
            ClientFrame::Login(login) => Some(login.id),
            ClientFrame::Request(request) => Some(request.id),
            ClientFrame::Publish(publish) => Some(publish.id),
            ClientFrame::Subscribe(subscribe) => Some(subscribe.id),
            ClientFrame::Who(asked)
            | ClientFrame::Ping(asked)
            | ClientFrame::Fim(asked)
            | ClientFrame::Sessions(asked) => Some(asked.id),
            ClientFrame::Shutdown(shutdown) => Some(shutdown.id),
            ClientFrame::Topics(query) => Some(query.id),
            ClientFrame::Cursors(cursors) => Some(cursors.id),
            ClientFrame::RemoveCursor(remove) => Some(remove.id),
            ClientFrame::Offer(offer) => Some(offer.id),
            ClientFrame::Withdraw(withdraw) => Some(withdraw.id),
            ClientFrame::Services(query) => Some(query.id),
            ClientFrame::Unserved(unserved) => Some(unserved.id),
            ClientFrame::Ack(_) | ClientFrame::Answer(_) => None,
        }
    }
}

impl<'a> ClientFrame<'a> {
    /// Returns the same frame without borrowed data.
    pub fn into_owned(self) -> ClientFrame<'static> {
        match self {
            ClientFrame::Login(login) => ClientFrame::Login(Box::new(login.into_owned())),
            ClientFrame::Request(request) => ClientFrame::Request(request.into_owned()),
            ClientFrame::Publish(publish) => ClientFrame::Publish(publish.into_owned()),
            ClientFrame::Subscribe(subscribe) => {
                ClientFrame::Subscribe(Box::new(subscribe.into_owned()))
            }
            ClientFrame::Who(asked) => ClientFrame::Who(asked),
            ClientFrame::Ping(asked) => ClientFrame::Ping(asked),
            ClientFrame::Ack(ack) => ClientFrame::Ack(ack),
            ClientFrame::Fim(asked) => ClientFrame::Fim(asked),
            ClientFrame::Shutdown(shutdown) => ClientFrame::Shutdown(shutdown),
            ClientFrame::Sessions(asked) => ClientFrame::Sessions(asked),
            ClientFrame::Topics(query) => ClientFrame::Topics(Box::new(query.into_owned())),
            ClientFrame::Cursors(cursors) => ClientFrame::Cursors(Box::new(cursors.into_owned())),
            ClientFrame::RemoveCursor(remove) => {
                ClientFrame::RemoveCursor(Box::new(remove.into_owned()))
            }
            ClientFrame::Offer(offer) => ClientFrame::Offer(offer.into_owned()),
            ClientFrame::Withdraw(withdraw) => ClientFrame::Withdraw(withdraw.into_owned()),
            ClientFrame::Answer(answer) => ClientFrame::Answer(answer.into_owned()),
            ClientFrame::Services(query) => ClientFrame::Services(Box::new(query.into_owned())),
            ClientFrame::Unserved(unserved) => ClientFrame::Unserved(unserved),
        }
    }
}

/// A frame that the server sends.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerFrame<'a> {
    /// The first frame of every session.
    Welcome(Welcome<'a>),
    /// The login succeeded.
    LoggedIn(LoggedIn<'a>),
    /// The answer of a handler, or of a service, to a request.
    Reply(ReplyFrame<'a>),
    /// The answer to a publish: the message was accepted and has a seq.
    Published(Published),
    /// The users that are logged in.
    Present(Present<'a>),
    /// The answer to a ping.
    Pong(IdFrame),
    /// A broadcast: a user's message.
    Message(Message<'a>),
    /// A broadcast: a user's first session logged in.
    Joined(Presence<'a>),
    /// A broadcast: a user's last session ended.
    Left(Presence<'a>),
    /// Broadcasts that are no longer held.
    Gap(Gap),
    /// The answer to a subscribe: the session's filter was changed.
    Subscribed(Subscribed<'a>),
    /// The kept value of a topic; not a broadcast.
    Kept(Message<'a>),
    /// Broadcasts that were not for this session.
    Passed(Passed),
    /// An error: a frame was not served, or the session ends.
    Error(ErrorFrame<'a>),
    /// The server is stopping.
    Stopping(Stopping),
    /// The last frame of a session.
    Closing(Closing),
    /// The list of sessions, for operators.
    Sessions(SessionList<'a>),
    /// A part of the list of topics, for operators.
    Topics(TopicList<'a>),
    /// A part of the list of cursors, for operators.
    Cursors(CursorList<'a>),
    /// The answer to a frame that removes a cursor.
    CursorRemoved(CursorRemoved),
    /// The answer to an offer.
    Offered(IdFrame),
    /// The session no longer offers a service.
    Withdrawn(Withdrawn<'a>),
    /// A request to a service that this session offers.
    Call(CallFrame<'a>),
    /// The answer to a call is no longer expected.
    Cancelled(Cancelled),
    /// A part of the list of services, for operators.
    Services(ServiceList<'a>),
}

impl<'a> ServerFrame<'a> {
    /// Creates an error frame. `message` is shortened to [`LONGEST_TEXT`] bytes.
    pub fn error(id: Option<u64>, code: ErrorCode, message: impl Into<Cow<'a, str>>) -> Self {
        ServerFrame::Error(ErrorFrame {
            id,
            code,
            message: shortened(message.into()),
            retry_after: None,
        })
    }

    /// Creates an error frame with the code `throttled`. `wait` is the time until the next attempt;
    /// it is rounded up to whole milliseconds. `message` is shortened to [`LONGEST_TEXT`] bytes.
    pub fn throttled(id: Option<u64>, message: impl Into<Cow<'a, str>>, wait: Duration) -> Self {
        ServerFrame::Error(ErrorFrame {
            id,
            code: ErrorCode::Throttled,
            message: shortened(message.into()),
            retry_after: Some(whole_millis(wait)),
        })
    }
}

/// Shortens the message of an error frame, so that the frame is not longer than `max_frame`.
fn shortened(message: Cow<'_, str>) -> Cow<'_, str> {
    if message.len() <= LONGEST_TEXT {
        return message;
    }
    Cow::Owned(limited(message, LONGEST_TEXT))
}

/// Rounds a wait up to whole milliseconds, at least 1.
fn whole_millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos().div_ceil(1_000_000).max(1)).unwrap_or(u64::MAX)
}

/// A frame that belongs, or has a key that belongs, to a feature that this server does not support.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unserved {
    /// The frame's id. The answer has the same id.
    pub id: u64,
    /// The frame or the key, as the error names it.
    pub what: &'static str,
    /// Whether the frame is a login.
    pub is_login: bool,
}

/// A frame with only an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdFrame {
    /// The id that the client chose. The answer has the same id.
    pub id: u64,
}

/// A frame that acknowledges the broadcasts up to a seq.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The last seq that was read.
    pub seq: Seq,
}

/// A frame that stops the server. Only admins may send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shutdown {
    /// The id that the client chose. The answer has the same id.
    pub id: u64,
    /// Whether to skip the drain.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub now: Option<bool>,
}

/// The users that are logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present<'a> {
    /// The who frame's id.
    pub id: u64,
    /// Each user once, sorted by the code points of their names.
    #[serde(borrow)]
    pub users: Vec<Cow<'a, str>>,
}

/// A broadcast: a user's first session logged in, or the last one ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence<'a> {
    /// The broadcast's position in the stream.
    pub seq: Seq,
    /// The user that logged in or left.
    #[serde(borrow, with = "text")]
    pub user: Cow<'a, str>,
    /// The time at which the broadcast got its seq.
    pub at: Millis,
}

/// Broadcasts that are no longer held: `from` to `to`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The seq of the first missing broadcast.
    pub from: Seq,
    /// The seq of the last missing broadcast.
    pub to: Seq,
}

/// An error: a frame was not served, or the session ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorFrame<'a> {
    /// The id of the frame that the error answers; absent if it answers none.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub id: Option<u64>,
    /// The code, for programs.
    pub code: ErrorCode,
    /// The message, for people.
    #[serde(borrow, with = "text")]
    pub message: Cow<'a, str>,
    /// The time until the frame may be sent again, in milliseconds; always set with `throttled`.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub retry_after: Option<u64>,
}

impl ErrorFrame<'_> {
    /// Returns the message with `retry_after` appended, for dialects without a key for it.
    pub fn for_people(&self) -> Cow<'_, str> {
        match self.retry_after {
            None => Cow::Borrowed(&*self.message),
            Some(millis) => Cow::Owned(format!("{}: try again in {millis} ms", self.message)),
        }
    }
}

/// A frame that reports the stop of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopping {
    /// The id of the shutdown frame that this frame answers; absent if it answers none.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub id: Option<u64>,
    /// The cause of the stop.
    pub reason: Named<StopReason>,
    /// The phase of the stop.
    pub phase: Named<Phase>,
    /// The time until the server's process ends at the latest, in milliseconds.
    pub remaining: u64,
}

/// The last frame of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// The reason of the session's end.
    pub reason: Named<CloseReason>,
    /// The last broadcast sent before this frame.
    pub last_seq: Seq,
    /// The number of frames since the login that got an answer other than `stopping`.
    pub accepted: u64,
    /// The number of frames since the login that were answered with `stopping`.
    pub refused: u64,
}

/// (De)serializes an optional key: it is absent or has a value of its type. serde's own `Option`
/// would also accept `null`.
mod present {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        T::deserialize(deserializer).map(Some)
    }
}

//! The frames of the contract, as types. The dialects turn them into bytes.
//!
//! Each borrows from the buffer that it was decoded from, so that a frame on its
//! way through the server is copied at most once.

mod login;
mod text;

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::login::{LoggedIn, Login, Resume, Role, Welcome};
use super::quote::{LONGEST_TEXT, limited};
use super::{Body, ErrorCode, Millis, Seq, SessionId};

/// The version of the protocol that this crate speaks.
pub const VERSION: u64 = 1;

/// A frame that a client sends.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientFrame<'a> {
    /// Log in; a name seen for the first time registers.
    Login(Login<'a>),
    /// Ask the endpoint's handler.
    Request(BodyFrame<'a>),
    /// Broadcast a message.
    Publish(BodyFrame<'a>),
    /// Ask who is logged in.
    Who(IdFrame),
    /// Ask for a `pong`.
    Ping(IdFrame),
    /// "Read up to here"; it has no answer.
    Ack(Ack),
    /// End the session.
    Fim(IdFrame),
    /// Stop the server.
    Shutdown(Shutdown),
    /// Ask for the list of sessions: an addition to the contract, for operators.
    Sessions(IdFrame),
    /// The answer to a call of a service. No service is served in this version, so that no
    /// call waits for one: it is ignored.
    #[serde(skip)]
    Answer,
    /// A frame, or a key of one, of a feature that the server knows and does not serve.
    #[serde(skip)]
    Unserved(Unserved),
}

impl ClientFrame<'_> {
    /// The id that the answer echoes; an `ack` and an `answer` have none.
    pub fn id(&self) -> Option<u64> {
        match self {
            ClientFrame::Login(login) => Some(login.id),
            ClientFrame::Request(asking) | ClientFrame::Publish(asking) => Some(asking.id),
            ClientFrame::Who(asked)
            | ClientFrame::Ping(asked)
            | ClientFrame::Fim(asked)
            | ClientFrame::Sessions(asked) => Some(asked.id),
            ClientFrame::Shutdown(shutdown) => Some(shutdown.id),
            ClientFrame::Unserved(unserved) => Some(unserved.id),
            ClientFrame::Ack(_) | ClientFrame::Answer => None,
        }
    }
}

impl<'a> ClientFrame<'a> {
    /// The same frame, owning what it holds.
    pub fn into_owned(self) -> ClientFrame<'static> {
        match self {
            ClientFrame::Login(login) => ClientFrame::Login(Login {
                id: login.id,
                user: Cow::Owned(login.user.into_owned()),
                password: Cow::Owned(login.password.into_owned()),
                resume: login.resume.map(|resume| Resume {
                    stream: Cow::Owned(resume.stream.into_owned()),
                    after: resume.after,
                    term: resume.term,
                }),
            }),
            ClientFrame::Request(asking) => ClientFrame::Request(asking.into_owned()),
            ClientFrame::Publish(asking) => ClientFrame::Publish(asking.into_owned()),
            ClientFrame::Who(asked) => ClientFrame::Who(asked),
            ClientFrame::Ping(asked) => ClientFrame::Ping(asked),
            ClientFrame::Ack(ack) => ClientFrame::Ack(ack),
            ClientFrame::Fim(asked) => ClientFrame::Fim(asked),
            ClientFrame::Shutdown(shutdown) => ClientFrame::Shutdown(shutdown),
            ClientFrame::Sessions(asked) => ClientFrame::Sessions(asked),
            ClientFrame::Answer => ClientFrame::Answer,
            ClientFrame::Unserved(unserved) => ClientFrame::Unserved(unserved),
        }
    }
}

impl BodyFrame<'_> {
    fn into_owned(self) -> BodyFrame<'static> {
        BodyFrame {
            id: self.id,
            body: self.body.into_owned(),
        }
    }
}

/// A frame that the server sends.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerFrame<'a> {
    /// The first frame of every session.
    Welcome(Welcome<'a>),
    /// The login is done.
    LoggedIn(LoggedIn<'a>),
    /// The handler's answer to a request.
    Reply(BodyFrame<'a>),
    /// The message has its seq.
    Published(Published),
    /// The user that is logged in.
    Present(Present<'a>),
    /// The answer to a ping.
    Pong(IdFrame),
    /// A broadcast: somebody's message.
    Message(Message<'a>),
    /// A broadcast: a user's first session logged in.
    Joined(Presence<'a>),
    /// A broadcast: a user's last session ended.
    Left(Presence<'a>),
    /// Broadcasts that are no longer held.
    Gap(Gap),
    /// A frame was not served, or the session ends.
    Error(ErrorFrame<'a>),
    /// The server is stopping.
    Stopping(Stopping<'a>),
    /// The last frame of a session.
    Closing(Closing<'a>),
    /// The list of sessions, for operators.
    Sessions(SessionList<'a>),
}

impl<'a> ServerFrame<'a> {
    /// An error frame.
    /// Of a long message not more than [`LONGEST_TEXT`] bytes are sent.
    pub fn error(id: Option<u64>, code: ErrorCode, message: impl Into<Cow<'a, str>>) -> Self {
        ServerFrame::Error(ErrorFrame {
            id,
            code,
            message: shortened(message.into()),
            retry_after: None,
        })
    }

    /// An error frame with the code `throttled`, which always says when to try again:
    /// `wait` in whole milliseconds, rounded up.
    pub fn throttled(id: Option<u64>, message: impl Into<Cow<'a, str>>, wait: Duration) -> Self {
        ServerFrame::Error(ErrorFrame {
            id,
            code: ErrorCode::Throttled,
            message: shortened(message.into()),
            retry_after: Some(whole_millis(wait)),
        })
    }
}

/// Shortens the message of an error frame, so that no error frame is longer than `max_frame`.
fn shortened(message: Cow<'_, str>) -> Cow<'_, str> {
    if message.len() <= LONGEST_TEXT {
        return message;
    }
    Cow::Owned(limited(message, LONGEST_TEXT))
}

/// A wait in whole milliseconds: at least 1, and never less than the wait itself.
fn whole_millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos().div_ceil(1_000_000).max(1)).unwrap_or(u64::MAX)
}

/// An id and a body: a request, a publish, a reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BodyFrame<'a> {
    /// Chosen by the client, echoed in the answer.
    pub id: u64,
    /// Text or bytes.
    #[serde(borrow)]
    pub body: Body<'a>,
}

/// A frame, or a key of one, of a feature that is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unserved {
    /// The frame's id, which the answer echoes.
    pub id: u64,
    /// The frame, or the key, in words.
    pub what: &'static str,
    /// Whether it is a login.
    pub is_login: bool,
}

/// Nothing but an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdFrame {
    /// Chosen by the client, echoed in the answer.
    pub id: u64,
}

/// "Read up to here".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The last seq that was read.
    pub seq: Seq,
}

/// Stop the server; for admins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shutdown {
    /// Echoed in the answer.
    pub id: u64,
    /// Skip the drain.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub now: Option<bool>,
}

/// The message has its seq.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The publish frame's id.
    pub id: u64,
    /// The message's seq.
    pub seq: Seq,
}

/// The user that is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present<'a> {
    /// The who frame's id.
    pub id: u64,
    /// Each user once, in the order of their names' code points.
    #[serde(borrow)]
    pub users: Vec<Cow<'a, str>>,
}

/// A broadcast: somebody's message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message<'a> {
    /// Its place in the stream.
    pub seq: Seq,
    /// The user that published it.
    #[serde(borrow, with = "text")]
    pub from: Cow<'a, str>,
    /// When it got its seq.
    pub at: Millis,
    /// Text or bytes.
    #[serde(borrow)]
    pub body: Body<'a>,
}

/// A broadcast: a user came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence<'a> {
    /// Its place in the stream.
    pub seq: Seq,
    /// The user.
    #[serde(borrow, with = "text")]
    pub user: Cow<'a, str>,
    /// When.
    pub at: Millis,
}

/// Broadcasts that are no longer held: `from` to `to`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The first that is missing.
    pub from: Seq,
    /// The last that is missing.
    pub to: Seq,
}

/// A frame was not served, or the session ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorFrame<'a> {
    /// The frame that it answers, if it answers one.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub id: Option<u64>,
    /// The code, for programs.
    pub code: ErrorCode,
    /// The message, for people.
    #[serde(borrow, with = "text")]
    pub message: Cow<'a, str>,
    /// Milliseconds until the frame may be sent again; always there with `throttled`.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub retry_after: Option<u64>,
}

impl ErrorFrame<'_> {
    /// The message for a dialect that has no key for when to try again: it ends in that.
    pub fn for_people(&self) -> Cow<'_, str> {
        match self.retry_after {
            None => Cow::Borrowed(&*self.message),
            Some(millis) => Cow::Owned(format!("{}: try again in {millis} ms", self.message)),
        }
    }
}

/// The server is stopping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopping<'a> {
    /// The shutdown frame that it answers, if it answers one.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub id: Option<u64>,
    /// The cause of the stop: `fim`, `signal`, `admin` or `panic`.
    #[serde(borrow, with = "text")]
    pub reason: Cow<'a, str>,
    /// The phase that it is in.
    #[serde(borrow, with = "text")]
    pub phase: Cow<'a, str>,
    /// Milliseconds until it is gone at the latest.
    pub remaining: u64,
}

/// The last frame of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing<'a> {
    /// `fim`, `shutdown`, an error's code, or `disconnected`.
    #[serde(borrow, with = "text")]
    pub reason: Cow<'a, str>,
    /// The last broadcast sent before it.
    pub last_seq: Seq,
    /// Frames since the login that were answered in any way but with `stopping`.
    pub accepted: u64,
    /// Frames since the login that were answered with `stopping`.
    pub refused: u64,
}

/// The list of sessions, for operators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionList<'a> {
    /// The sessions frame's id.
    pub id: u64,
    /// In the order of their numbers.
    #[serde(borrow)]
    pub sessions: Vec<SessionLine<'a>>,
}

/// One session, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionLine<'a> {
    /// Its number.
    pub session: SessionId,
    /// Its user; absent before the login.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Cow<'a, str>>,
    /// The listener that it came in by.
    #[serde(borrow, with = "text")]
    pub endpoint: Cow<'a, str>,
    /// The peer, as the system identifies it: `pid 7 uid 1000`, an address.
    #[serde(borrow, with = "text")]
    pub peer: Cow<'a, str>,
    /// When it connected.
    pub since: Millis,
    /// The last broadcast written to it.
    pub sent: Seq,
}

/// Optional keys are absent or of their type: `null` is neither.
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

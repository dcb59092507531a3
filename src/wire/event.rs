//! Broadcasts and kept values as owned values.

use std::borrow::Cow;

use super::{Body, Gap, Headers, Message, Millis, Passed, Seq, ServerFrame};

/// A broadcast, or what a session is told of broadcasts that it does not get.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A user's message.
    Message {
        /// Its position in the stream.
        seq: Seq,
        /// The user that published it.
        from: String,
        /// The time at which it got its seq.
        at: Millis,
        /// Text or bytes.
        body: Body<'static>,
        /// The topic.
        topic: Option<String>,
        /// The headers, as they were published; empty if there are none.
        headers: Headers<'static>,
        /// Whether the message became its topic's kept value, or removed it.
        keep: bool,
        /// The only user that gets the message.
        to: Option<String>,
    },
    /// A user's first session logged in.
    Joined {
        /// Its position in the stream.
        seq: Seq,
        /// The user.
        user: String,
        /// The time at which it got its seq.
        at: Millis,
    },
    /// A user's last session ended.
    Left {
        /// Its position in the stream.
        seq: Seq,
        /// The user.
        user: String,
        /// The time at which it got its seq.
        at: Millis,
    },
    /// Broadcasts that are no longer held: `from` to `to`, both included.
    Gap(Gap),
    /// The stream has moved up to here, and what it has there since the last event was not for this
    /// session. Only sessions that have used a filter get it.
    Passed(Passed),
}

/// The value that a topic keeps: the newest message that was published to it to be kept.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct KeptValue {
    /// The position that the message has in the stream. It is older than the session's broadcasts,
    /// and must not be acknowledged.
    pub seq: Seq,
    /// The user that published it.
    pub from: String,
    /// The time at which it got its seq.
    pub at: Millis,
    /// Text or bytes.
    pub body: Body<'static>,
    /// The topic.
    pub topic: String,
    /// The headers, as they were published; empty if there are none.
    pub headers: Headers<'static>,
}

impl KeptValue {
    /// Converts the message of a `kept` frame.
    pub fn of(message: Message<'_>) -> KeptValue {
        KeptValue {
            seq: message.seq,
            from: message.from.into_owned(),
            at: message.at,
            body: message.body.into_owned(),
            topic: message.topic.map(Cow::into_owned).unwrap_or_default(),
            headers: owned(message.headers),
        }
    }
}

fn owned(headers: Option<Headers<'_>>) -> Headers<'static> {
    headers.map(Headers::into_owned).unwrap_or_default()
}

impl Event {
    /// Returns the event's seq; for a gap, the last missing seq; for `Passed`, the last seq that was
    /// not for the session. A reader resumes after it.
    pub fn seq(&self) -> Seq {
        match self {
            Event::Message { seq, .. } | Event::Joined { seq, .. } | Event::Left { seq, .. } => {
                *seq
            }
            Event::Gap(gap) => gap.to,
            Event::Passed(passed) => passed.to,
        }
    }

    /// Converts a frame. Returns `None` for a frame that is not a broadcast, a gap, or `passed`.
    pub fn of(frame: ServerFrame<'_>) -> Option<Event> {
        match frame {
            ServerFrame::Message(message) => Some(Event::Message {
                seq: message.seq,
                from: message.from.into_owned(),
                at: message.at,
                body: message.body.into_owned(),
                topic: message.topic.map(Cow::into_owned),
                headers: owned(message.headers),
                keep: message.keep,
                to: message.to.map(Cow::into_owned),
            }),
            ServerFrame::Joined(presence) => Some(Event::Joined {
                seq: presence.seq,
                user: presence.user.into_owned(),
                at: presence.at,
            }),
            ServerFrame::Left(presence) => Some(Event::Left {
                seq: presence.seq,
                user: presence.user.into_owned(),
                at: presence.at,
            }),
            ServerFrame::Gap(gap) => Some(Event::Gap(gap)),
            ServerFrame::Passed(passed) => Some(Event::Passed(passed)),
            _ => None,
        }
    }
}

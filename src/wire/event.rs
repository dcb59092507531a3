//! Broadcasts as a reader keeps them: owned.

use super::{Body, Gap, Millis, Seq, ServerFrame};

/// A frame that a reader receives without having asked.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Somebody's message.
    Message {
        /// Its place in the stream.
        seq: Seq,
        /// The user that published it.
        from: String,
        /// When it got its seq.
        at: Millis,
        /// Text or bytes.
        body: Body<'static>,
    },
    /// A user's first session logged in.
    Joined {
        /// Its place in the stream.
        seq: Seq,
        /// The user.
        user: String,
        /// When.
        at: Millis,
    },
    /// A user's last session ended.
    Left {
        /// Its place in the stream.
        seq: Seq,
        /// The user.
        user: String,
        /// When.
        at: Millis,
    },
    /// Broadcasts that are no longer held: `from` to `to`, both included.
    Gap(Gap),
}

impl Event {
    /// The last seq that the event takes the reader to.
    pub fn seq(&self) -> Seq {
        match self {
            Event::Message { seq, .. } | Event::Joined { seq, .. } | Event::Left { seq, .. } => {
                *seq
            }
            Event::Gap(gap) => gap.to,
        }
    }

    /// The event that a frame tells of, if it tells of one.
    pub fn of(frame: ServerFrame<'_>) -> Option<Event> {
        match frame {
            ServerFrame::Message(message) => Some(Event::Message {
                seq: message.seq,
                from: message.from.into_owned(),
                at: message.at,
                body: message.body.into_owned(),
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
            _ => None,
        }
    }
}

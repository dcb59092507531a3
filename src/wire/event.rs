//! Broadcasts as owned values.

use super::{Body, Gap, Millis, Seq, ServerFrame};

/// A broadcast, or a gap in the broadcasts.
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
}

impl Event {
    /// Returns the event's seq; for a gap, the last missing seq. A reader resumes after it.
    pub fn seq(&self) -> Seq {
        match self {
            Event::Message { seq, .. } | Event::Joined { seq, .. } | Event::Left { seq, .. } => {
                *seq
            }
            Event::Gap(gap) => gap.to,
        }
    }

    /// Converts a frame. Returns `None` for a frame that is not a broadcast and not a gap.
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

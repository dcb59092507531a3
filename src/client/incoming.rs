//! The frames and events that a session receives without having asked.

use std::sync::Arc;
use std::time::Duration;

use super::error::{ClientError, End};
use super::login::LoggedInAs;
use crate::wire::{Event, KeptValue, Named, Phase, StopReason};

/// Something that [`Events`](crate::Events) yields.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Incoming {
    /// A broadcast, or what the server tells of those that do not come: a gap, or
    /// [`Event::Passed`].
    Event(Event),
    /// The kept value of a topic. It stands outside of the broadcasts, and is not acknowledged.
    ///
    /// The kept values that a login or a [`FilterChange`](crate::FilterChange) asks for come
    /// before the broadcasts behind it. A login again asks for them again.
    Kept(KeptValue),
    /// The server is stopping.
    Stopping(StoppingNotice),
    /// The session has ended and the client connects again; only with
    /// [`ClientBuilder::reconnect`](crate::ClientBuilder::reconnect).
    ///
    /// The session's last acknowledgements still count until the next item is asked for, and
    /// for 250 ms at most.
    Disconnected(ClientError),
    /// An attempt to connect again has failed and is repeated after the wait. Attempts whose
    /// notice finds the queue full are not told of.
    Retrying {
        /// The failure of the attempt.
        error: ClientError,
        /// The time until the next attempt.
        wait: Duration,
    },
    /// The client has logged in again. Broadcasts go on right behind the last one before
    /// [`Incoming::Disconnected`]: those that the server no longer holds are told by an
    /// [`Event::Gap`].
    ///
    /// Where [`LoggedInAs::stream`] is another than before, the server has begun a new stream,
    /// and a gap tells of its broadcasts up to the login. Where [`LoggedInAs::forked`] is set,
    /// the server's data was restored from an older copy.
    Reconnected(Arc<LoggedInAs>),
    /// The session's end, in order. Nothing follows.
    Closing(End),
    /// The session's end without `closing`. Nothing follows.
    Lost(ClientError),
}

/// The server's notice that it is stopping.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoppingNotice {
    /// Why the server stops.
    pub reason: Named<StopReason>,
    /// The phase that the stop is in.
    pub phase: Named<Phase>,
    /// The time until the server has stopped, at most.
    pub remaining: Duration,
}

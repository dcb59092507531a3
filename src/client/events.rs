//! The receiving half of a client.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use tokio::sync::mpsc;

use super::handle::Client;
use super::incoming::Incoming;

/// How long a reader has after the end of a session to acknowledge what it has read, and how
/// long the last of that may take to be written.
pub(super) const LAST_ACK: Duration = Duration::from_millis(250);

/// The receiving half of a client: broadcasts, and what becomes of the session.
///
/// It is a [`Stream`] too. While it is not read, a full queue holds up the answers to the same
/// session's requests as well: read it, or drop it to receive nothing.
pub struct Events {
    incoming: mpsc::Receiver<Incoming>,
    client: Client,
    state: State,
}

enum State {
    Open,
    /// [`Incoming::Disconnected`] was the last item.
    PastSession,
    /// The end has been taken.
    Over,
    /// Waits for the last acknowledgements to be written.
    Closing(Pin<Box<dyn Future<Output = ()> + Send + Sync>>),
    Closed,
}

impl Events {
    pub(super) fn new(incoming: mpsc::Receiver<Incoming>, client: Client) -> Events {
        Events {
            incoming,
            client,
            state: State::Open,
        }
    }

    /// Returns the next item; `None` after the end.
    ///
    /// Between the end and this `None` a [`Client::ack`] still counts, and the `None` comes
    /// once it is written. A program that acknowledges waits for it before it leaves the
    /// runtime.
    ///
    /// Cancel safety: no item is lost.
    pub async fn next(&mut self) -> Option<Incoming> {
        poll_fn(|cx| self.poll_incoming(cx)).await
    }

    /// Returns the next item where one has come already.
    pub fn try_next(&mut self) -> Option<Incoming> {
        self.leave_session();
        if matches!(self.state, State::Open) {
            let incoming = self.incoming.try_recv().ok()?;
            return Some(self.note(incoming));
        }
        self.incoming.close();
        None
    }

    /// Returns whether no item has come yet.
    pub fn is_empty(&self) -> bool {
        self.incoming.is_empty()
    }

    /// Returns the sending half.
    pub fn client(&self) -> &Client {
        &self.client
    }

    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        self.leave_session();
        loop {
            match &mut self.state {
                State::Open | State::PastSession => {
                    let incoming = ready!(self.incoming.poll_recv(cx));
                    return Poll::Ready(incoming.map(|incoming| self.note(incoming)));
                }
                State::Over => {
                    self.incoming.close();
                    let session = self.client.session();
                    self.state = State::Closing(Box::pin(async move {
                        // The writing side may not end: its socket takes nothing.
                        let _ = tokio::time::timeout(LAST_ACK, session.hung_up()).await;
                    }));
                }
                State::Closing(written) => {
                    ready!(written.as_mut().poll(cx));
                    self.state = State::Closed;
                }
                State::Closed => return Poll::Ready(None),
            }
        }
    }

    /// Notes that everything before the end of a session has been dealt with.
    fn leave_session(&mut self) {
        if matches!(self.state, State::PastSession) {
            self.state = State::Open;
            self.client.note_passed_end();
        }
    }

    fn note(&mut self, incoming: Incoming) -> Incoming {
        match incoming {
            Incoming::Closing(_) | Incoming::Lost(_) => self.state = State::Over,
            Incoming::Disconnected(_) => self.state = State::PastSession,
            _ => {}
        }
        incoming
    }
}

impl Stream for Events {
    type Item = Incoming;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        self.poll_incoming(cx)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("client", &self.client)
            .field("waiting", &self.incoming.len())
            .finish_non_exhaustive()
    }
}

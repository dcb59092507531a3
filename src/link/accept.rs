//! The traits that an acceptor needs of a listener.

use std::io;
use std::task::{Context, Poll};

use super::PeerId;
use crate::framing::Failure;

/// A listener, whatever it listens on.
pub trait Accept: Unpin + 'static {
    /// A connection that was accepted and that no session serves yet.
    type Connection: IncomingConnection;

    /// Classifies an error of [`Accept::poll_accept`].
    fn failure_of(&self, error: &io::Error) -> Failure;

    /// Accepts the next connection.
    ///
    /// # Errors
    /// The error is one that [`Accept::failure_of`] classifies; the listener goes on.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Connection>>;

    /// Checks, when it is time to, whether clients still find the endpoint, and has the task
    /// woken for the next check.
    fn poll_watch(&mut self, _cx: &mut Context<'_>) {}

    /// Refuses new clients; those that have connected can still be accepted. Where the system
    /// has no such call (TCP), clients of the last moment may be cut off. A socket that another
    /// program has open too stays open to new clients.
    fn close_to_new(&mut self);

    /// Accepts the next connection that waits at this moment. It asks the system itself, as
    /// the runtime's readiness may be older. `None` when none waits or can be accepted, or when
    /// those that wait are left to the next server.
    fn accept_waiting(&mut self) -> Option<Self::Connection>;
}

/// A connection that was accepted and that no session serves yet.
pub trait IncomingConnection: Unpin {
    /// Returns the peer that limits count this connection for.
    fn peer_id(&self) -> PeerId;
}

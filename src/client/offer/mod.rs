//! Offers: a client answers the requests to a service.
//!
//! The problem: the offer of a service must outlive sessions, its calls run at the same time, and
//! none may hold up another or the session's other frames. So each part is a task of its own: one for
//! the offer (`task.rs`), which makes it again on each session, and one for each call
//! (`calls.rs`, which is the session's). The handle (`responder.rs`) withdraws the offer when it is
//! dropped.
//!
//! Invariants:
//! - of one offer no more calls are in work than its limit;
//! - a call belongs to its session: when that has ended, its handler's future is dropped and it is
//!   not answered on another;
//! - the first offer is one attempt, and later ones are repeated while the refusal may pass.

pub(super) mod call;
mod responder;
mod task;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use self::call::CallHandler;
pub use self::call::{Call, CallError, CallReply};
pub use self::responder::Responder;
use self::task::Task;
use super::error::ClientError;
use super::handle::Client;

/// The calls in work at once, where nobody says otherwise.
const LIMIT: u32 = 64;

/// An offer of a service: made by [`Client::offer`], and sent when it is awaited.
#[must_use = "it is sent when it is awaited"]
pub struct OfferBuilder {
    client: Client,
    service: String,
    limit: u32,
    handler: CallHandler,
}

impl Client {
    /// Returns an offer to answer the requests to a service, whose name has 1 to 64 bytes. Awaiting
    /// it sends it, and returns the [`Responder`] once the server has taken it. It must run on a
    /// tokio runtime, which answers the calls from then on. It needs the feature `services` and the
    /// role escritor.
    ///
    /// The handler gets each [`Call`] and returns the answer: a body, a [`CallReply`] with headers,
    /// or a [`CallError`]. Calls are answered at the same time, each by a task of its own. If a
    /// handler panics, its call is answered with the error code `panic`, and other calls go on.
    ///
    /// Cancel safety: the handler's future is dropped when nobody waits for the answer any more:
    /// the caller has gone, the time of the call is over, or the session has ended. Work that must
    /// not stop halfway belongs into a task that the handler spawns.
    ///
    /// A client that [reconnects](crate::ClientBuilder::reconnect) offers the service again on each
    /// session. While [`Events`](crate::Events) are not read, a full queue holds up the calls as
    /// well: read them, or drop them to receive nothing.
    ///
    /// See [`Client::ask`] for an example.
    ///
    /// # Errors
    /// The server does not have the feature ([`ClientError::NotServed`]), a rule or the role does
    /// not allow the offer, the session has too many, this client offers the service already
    /// ([`ClientError::AlreadyOffered`]), or the session ends first.
    pub fn offer<H, F, R>(&self, service: impl Into<String>, handler: H) -> OfferBuilder
    where
        H: Fn(Call) -> F + Send + Sync + 'static,
        F: Future<Output = Result<R, CallError>> + Send + 'static,
        R: Into<CallReply>,
    {
        OfferBuilder {
            client: self.clone(),
            service: service.into(),
            limit: LIMIT,
            handler: Arc::new(move |call| {
                let answer = handler(call);
                Box::pin(async move { answer.await.map(Into::into) })
            }),
        }
    }
}

impl OfferBuilder {
    /// Sets the largest number of calls that are in work at once: 64 by default. Others wait at the
    /// server, or go to another client that offers the service.
    pub fn limit(mut self, calls: u32) -> OfferBuilder {
        self.limit = calls;
        self
    }

    async fn begin(self) -> Result<Responder, ClientError> {
        let service = self.service.into();
        let responder = Task::spawn(self.client, service, self.limit, self.handler);
        responder.offered().await
    }
}

impl IntoFuture for OfferBuilder {
    type Output = Result<Responder, ClientError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.begin())
    }
}

impl fmt::Debug for OfferBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfferBuilder")
            .field("service", &self.service)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

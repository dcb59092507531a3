//! Answers that are on their way.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::{mpsc, oneshot};

use super::error::ClientError;
use super::shared::{Answer, Reply, Shared};

/// Waits for one answer; dropping it gives the answer up.
pub(super) struct Waiter {
    id: u64,
    answer: oneshot::Receiver<Answer>,
    shared: Arc<Shared>,
    /// The session lives until the answer has come.
    _outgoing: mpsc::Sender<Vec<u8>>,
}

impl Waiter {
    pub(super) fn new(shared: &Arc<Shared>, outgoing: &mpsc::Sender<Vec<u8>>) -> Waiter {
        let id = shared.next_id();
        Waiter {
            id,
            answer: shared.expect(id),
            shared: Arc::clone(shared),
            _outgoing: outgoing.clone(),
        }
    }

    /// Returns the id of the frame that is answered.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) async fn wait(mut self) -> Answer {
        self.answer().await
    }

    /// Waits for the answer, which comes once. Cancel safety: it can be waited for again.
    pub(super) async fn answer(&mut self) -> Answer {
        match (&mut self.answer).await {
            Ok(answer) => answer,
            Err(_) => Err(self.shared.why_over()),
        }
    }

    pub(super) fn map_reply<T: 'static>(
        self,
        map: impl FnOnce(Reply) -> Result<T, ClientError> + Send + 'static,
    ) -> PendingReply<T> {
        PendingReply::new(async move { map(self.wait().await?) })
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.shared.forget(self.id);
    }
}

/// An answer that is on its way.
///
/// Cancel safety: dropping it gives the answer up, and not the frame, which has been sent.
#[must_use = "the answer comes when it is awaited"]
pub struct PendingReply<T> {
    answer: Pin<Box<dyn Future<Output = Result<T, ClientError>> + Send>>,
}

impl<T> PendingReply<T> {
    pub(super) fn new(
        answer: impl Future<Output = Result<T, ClientError>> + Send + 'static,
    ) -> PendingReply<T> {
        PendingReply {
            answer: Box::pin(answer),
        }
    }
}

impl<T> Future for PendingReply<T> {
    type Output = Result<T, ClientError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.answer.as_mut().poll(cx)
    }
}

impl<T> fmt::Debug for PendingReply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingReply").finish_non_exhaustive()
    }
}

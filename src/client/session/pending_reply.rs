//! Answers that are on their way.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::{Client, Reply};
use crate::client::error::ClientError;

/// Waits for one answer; dropping it forgets the question.
pub(super) struct Waiter {
    pub(super) id: u64,
    pub(super) answer: oneshot::Receiver<Result<Reply, ClientError>>,
    pub(super) client: Client,
}

impl Waiter {
    pub(super) async fn wait(mut self) -> Result<Reply, ClientError> {
        match (&mut self.answer).await {
            Ok(answer) => answer,
            Err(_) => Err(self.client.shared.why_over()),
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
        self.client.shared.waiting.lock().remove(&self.id);
    }
}

/// An answer that is on its way.
pub struct PendingReply<T> {
    answer: Pin<Box<dyn Future<Output = Result<T, ClientError>> + Send>>,
}

impl<T> PendingReply<T> {
    pub(in crate::client) fn new(
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

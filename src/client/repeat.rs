//! Publishes and requests that are repeated while the server refuses them for a moment.

use std::time::Duration;

use super::backoff::Backoff;
use super::error::ClientError;
use super::handle::Client;
use super::pending_reply::PendingReply;
use super::retry::RetryClass;
use crate::wire::{Body, ErrorCode, NewMessage, Seq};

impl Client {
    /// Sends a message as [`Client::begin_publish`] does. A refusal that may pass
    /// ([`RetryClass::Retry`]) is not the answer yet: the message is sent again after a wait,
    /// until `patience` has passed. Messages behind it may overtake it.
    ///
    /// # Errors
    /// See [`Client::begin_publish`].
    pub async fn begin_publish_patiently(
        &self,
        message: impl Into<NewMessage<'static>>,
        patience: Duration,
    ) -> Result<PendingReply<Seq>, ClientError> {
        let message = message.into();
        let first = self.begin_publish(message.clone()).await?;
        let client = self.clone();
        Ok(PendingReply::new(async move {
            let mut outcome = first.await;
            let mut backoff = Backoff::until(patience);
            while let Err(error) = &outcome
                && error.retry_class() == RetryClass::Retry
                && let Some(wait) = backoff.next_wait(error.retry_after())
            {
                tokio::time::sleep(wait).await;
                outcome = client.publish(message.clone()).await;
            }
            outcome
        }))
    }

    /// Sends a request as [`Client::begin_request`] does, and again after a wait while it is
    /// refused for a reason that may pass, as [`Client::begin_publish_patiently`] does.
    ///
    /// # Errors
    /// The session is over.
    pub async fn begin_request_patiently(
        &self,
        body: Body<'static>,
        patience: Duration,
    ) -> Result<PendingReply<Body<'static>>, ClientError> {
        let first = self.begin_request(body.clone()).await?;
        let client = self.clone();
        Ok(PendingReply::new(async move {
            let mut outcome = first.await;
            let mut backoff = Backoff::until(patience);
            // A handler's own failure may be for good, and its work may be done twice.
            while let Err(error) = &outcome
                && error.code() == Some(ErrorCode::Throttled)
                && let Some(wait) = backoff.next_wait(error.retry_after())
            {
                tokio::time::sleep(wait).await;
                outcome = client.request(body.clone()).await;
            }
            outcome
        }))
    }
}

//! The task of a responder: it offers the service on each session of the client.

use std::borrow::Cow;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tokio::time::sleep;

use super::call::CallHandler;
use super::responder::{OfferState, Responder};
use crate::client::backoff::Backoff;
use crate::client::error::ClientError;
use crate::client::handle::Client;
use crate::client::retry::RetryClass;
use crate::client::session::Session;
use crate::client::shared::Reply;
use crate::wire::{ClientFrame, Feature, Offer, Withdraw};

/// The task of a responder.
pub(super) struct Task {
    client: Client,
    service: Arc<str>,
    limit: u32,
    handler: CallHandler,
    state: watch::Sender<OfferState>,
    /// Resolves when the offer is to be withdrawn.
    stop: oneshot::Receiver<()>,
}

/// Why the service is no longer offered on a session.
enum Ceased {
    /// The handle was dropped.
    Stopped,
    /// The server has withdrawn the offer.
    Withdrawn,
    /// The session has ended.
    SessionOver,
}

impl Task {
    /// Starts the task of an offer, and returns its handle.
    pub(super) fn spawn(
        client: Client,
        service: Arc<str>,
        limit: u32,
        handler: CallHandler,
    ) -> Responder {
        let (state, seen) = watch::channel(OfferState::Beginning);
        let (stop, stopped) = oneshot::channel();
        let responder = Responder::new(Arc::clone(&service), seen, stop);
        let task = Task {
            client,
            service,
            limit,
            handler,
            state,
            stop: stopped,
        };
        tokio::spawn(task.run());
        responder
    }

    /// Runs until the offer is withdrawn, or is refused, or the client ends.
    async fn run(mut self) {
        let outcome = self.offer_on_each_session().await;
        self.state.send_replace(OfferState::Ended(outcome));
    }

    async fn offer_on_each_session(&mut self) -> Result<(), ClientError> {
        let mut session = self.client.session();
        let mut backoff = Backoff::new();
        let mut is_first = true;
        loop {
            match self.offer(&session).await {
                Ok(withdrawn) => {
                    self.state.send_replace(OfferState::Offered);
                    is_first = false;
                    backoff.reset();
                    match self.serve(&session, withdrawn).await {
                        Ceased::Stopped => return self.withdraw(&session).await,
                        Ceased::Withdrawn => return Ok(()),
                        Ceased::SessionOver => {}
                    }
                }
                Err(error) if is_first => return Err(error),
                Err(_) if session.is_over() => {}
                Err(error) => match error.retry_class() {
                    RetryClass::Final => return Err(error),
                    RetryClass::RetryAfterLogin => session.over().await,
                    RetryClass::Retry => {
                        let wait = backoff.next_wait(error.retry_after()).unwrap_or_default();
                        tokio::select! {
                            _ = &mut self.stop => return Ok(()),
                            () = sleep(wait) => {}
                        }
                    }
                },
            }
            session = tokio::select! {
                biased;
                _ = &mut self.stop => return Ok(()),
                next = self.client.connected_session() => next?,
            };
        }
    }

    /// Offers the service on a session. Returns what resolves with `Ok` when the server withdraws
    /// the offer.
    async fn offer(&self, session: &Session) -> Result<oneshot::Receiver<()>, ClientError> {
        session.who().require(Feature::Services)?;
        let calls = session.calls();
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        // Before it is sent: calls may come right behind its answer.
        let withdrawn = calls.add_offer(&self.service, Arc::clone(&self.handler), limit);
        let Some(withdrawn) = withdrawn else {
            return Err(ClientError::AlreadyOffered {
                service: self.service.to_string(),
            });
        };
        let frame = |id| {
            ClientFrame::Offer(Offer {
                id,
                service: Cow::Borrowed(&self.service),
                limit: Some(self.limit.into()),
            })
        };
        let answer = match session.begin(frame).await {
            Ok(waiter) => waiter.wait().await,
            Err(error) => Err(error),
        };
        let refusal = match answer {
            Ok(Reply::Offered) => return Ok(withdrawn),
            Ok(other) => other.mismatch(),
            Err(error) => error,
        };
        calls.remove_offer(&self.service);
        Err(refusal)
    }

    /// Waits while the service is offered on the session.
    async fn serve(&mut self, session: &Session, withdrawn: oneshot::Receiver<()>) -> Ceased {
        tokio::select! {
            biased;
            () = session.over() => Ceased::SessionOver,
            unasked = withdrawn => match unasked {
                Ok(()) => Ceased::Withdrawn,
                Err(_) => Ceased::SessionOver, // which drops the offers
            },
            _ = &mut self.stop => Ceased::Stopped,
        }
    }

    /// Withdraws the offer, and waits until the calls in work are answered.
    async fn withdraw(&self, session: &Session) -> Result<(), ClientError> {
        let frame = |id| {
            ClientFrame::Withdraw(Withdraw {
                id,
                service: Cow::Borrowed(&self.service),
            })
        };
        match session.begin(frame).await?.wait().await? {
            Reply::Withdrawn => Ok(()),
            other => Err(other.mismatch()),
        }
    }
}

//! The handle of an offer.

use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use crate::client::error::{Break, ClientError};

/// The state of an offer.
#[derive(Debug, Clone)]
pub(super) enum OfferState {
    /// The first offer is not answered yet.
    Beginning,
    /// The service is offered, on each session of the client.
    Offered,
    /// The offer has ended: `Ok` if it is withdrawn.
    Ended(Result<(), ClientError>),
}

/// Answers the calls of a service: made by [`Client::offer`](crate::Client::offer).
///
/// Dropping it withdraws the offer; calls in work are still answered. Until then it keeps the
/// client's session.
#[derive(Debug)]
pub struct Responder {
    service: Arc<str>,
    state: watch::Receiver<OfferState>,
    /// Withdraws the offer when it is dropped.
    stop: oneshot::Sender<()>,
}

impl Responder {
    pub(super) fn new(
        service: Arc<str>,
        state: watch::Receiver<OfferState>,
        stop: oneshot::Sender<()>,
    ) -> Responder {
        Responder {
            service,
            state,
            stop,
        }
    }

    /// Returns the service's name.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Withdraws the offer: the client gets no new calls of the service. Returns once those in work
    /// are answered.
    ///
    /// Cancel safety: the offer is withdrawn, and calls in work are still answered.
    ///
    /// # Errors
    /// The offer has ended before, or the session ends while calls are in work: these are not
    /// answered.
    pub async fn withdraw(self) -> Result<(), ClientError> {
        let Responder {
            mut state, stop, ..
        } = self;
        drop(stop);
        end(&mut state).await
    }

    /// Waits until the offer has ended without being asked to: `Ok` if the server has withdrawn it,
    /// because a rule no longer allows it. Calls in work are still answered then.
    ///
    /// Cancel safety: it can be waited for again.
    ///
    /// # Errors
    /// The client has ended, or the offer was refused on a later session.
    pub async fn ended(&mut self) -> Result<(), ClientError> {
        end(&mut self.state).await
    }

    /// Waits for the answer to the first offer.
    pub(super) async fn offered(mut self) -> Result<Responder, ClientError> {
        let is_answered = |state: &OfferState| !matches!(state, OfferState::Beginning);
        let answer = match self.state.wait_for(is_answered).await {
            Ok(state) => state.clone(),
            Err(_) => return Err(Break::NoClosing.into()), // the runtime has ended
        };
        match answer {
            OfferState::Ended(Err(error)) => Err(error),
            _ => Ok(self),
        }
    }
}

async fn end(state: &mut watch::Receiver<OfferState>) -> Result<(), ClientError> {
    let is_ended = |state: &OfferState| matches!(state, OfferState::Ended(_));
    match state.wait_for(is_ended).await.as_deref() {
        Ok(OfferState::Ended(outcome)) => outcome.clone(),
        _ => Err(Break::NoClosing.into()), // the runtime has ended
    }
}

//! The state that all sessions share, and the part of one session in it.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use super::call::{CallAnswer, CallId, CallRefusal, GivenCall, NewCall, ServiceEvent};
use super::limits::ServiceLimits;
use super::participants::{SERVER, Wakes};
use super::registry::Registry;
use super::service::{OfferRefusal, TooManyWithdrawals};
use super::service_table::ServiceInfo;
use crate::close::{CallEnd, RecentCalls, SessionCalls};
use crate::sync::{AtomicWaker, Mutex};
use crate::wire::SessionId;

/// The services of a server.
#[derive(Debug)]
pub struct Services {
    registry: Mutex<Registry>,
}

impl Services {
    /// Creates a registry in which the server itself offers the services `own`.
    pub fn new<'n>(limits: ServiceLimits, own: impl IntoIterator<Item = &'n str>) -> Arc<Services> {
        let mut registry = Registry::new(limits);
        registry.serve(own);
        Arc::new(Services {
            registry: Mutex::new(registry),
        })
    }

    /// Changes the bounds. Offers and calls beyond them stay.
    pub fn set_limits(&self, limits: ServiceLimits) {
        self.registry.lock().set_limits(limits);
    }

    /// Lets a session of a user take part.
    pub fn join(self: &Arc<Self>, session: SessionId, user: Arc<str>) -> Membership {
        let waker = Arc::new(AtomicWaker::default());
        let mut registry = self.registry.lock();
        registry.join(session, user, Arc::clone(&waker));
        Membership {
            services: Arc::clone(self),
            session,
            waker,
        }
    }

    /// Returns at most `most` services above `after`, by name.
    pub fn list(&self, after: &str, most: usize) -> Vec<ServiceInfo> {
        let registry = self.registry.lock();
        registry.services(after).take(most).collect()
    }

    /// Returns the newest calls, for the report of a stop that began at this moment.
    pub fn recent_calls(&self, began: Instant) -> RecentCalls {
        self.registry.lock().recent_calls(began)
    }

    /// Changes the registry, and wakes the sessions that have something to take.
    fn with<T>(&self, change: impl FnOnce(&mut Registry, &mut Wakes) -> T) -> T {
        let mut wakes = Wakes::new();
        let result = change(&mut self.registry.lock(), &mut wakes);
        wakes.iter().for_each(|waker| waker.wake());
        result
    }
}

/// A call that was accepted.
#[derive(Debug)]
pub struct MadeCall {
    /// Its number.
    pub call: CallId,
    /// The call, where the server itself answers it, by [`Membership::answer_own`].
    pub own: Option<Box<GivenCall>>,
}

/// One session's part in the services. Dropping it ends its offers and its calls.
#[derive(Debug)]
pub struct Membership {
    services: Arc<Services>,
    session: SessionId,
    waker: Arc<AtomicWaker>,
}

impl Membership {
    /// Has this task woken when there is something to take.
    pub fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Offers a service, with at most `limit` calls in work at once, or changes that limit.
    ///
    /// # Errors
    /// The session offers as many services as it may.
    pub fn offer(&self, service: &str, limit: u64) -> Result<(), OfferRefusal> {
        self.services
            .with(|registry, wakes| registry.offer(self.session, service, limit, wakes))
    }

    /// Takes an offer back. [`ServiceEvent::Withdrawn`] comes once its last call has ended.
    ///
    /// # Errors
    /// Too many such frames wait for the last call.
    pub fn withdraw(&self, service: &str, id: u64) -> Result<(), TooManyWithdrawals> {
        self.services
            .with(|registry, wakes| registry.withdraw(self.session, service, id, wakes))
    }

    /// Takes all offers back: the session gets no further call.
    pub fn retire(&self) {
        self.services
            .with(|registry, wakes| registry.retire_all(self.session, wakes));
    }

    /// Takes an offer back that rules no longer allow. [`ServiceEvent::Withdrawn`] comes at once.
    pub fn revoke(&self, service: &str) {
        self.services
            .with(|registry, wakes| registry.revoke(self.session, service, wakes));
    }

    /// Ends all offers: calls that were taken get no answer, the others go to other sessions.
    pub fn stop_answering(&self) {
        self.services
            .with(|registry, wakes| registry.stop_answering(self.session, wakes));
    }

    /// Makes a call. Unless it is cancelled, its end comes as [`ServiceEvent::Outcome`].
    ///
    /// # Errors
    /// No session offers the service, or a limit is reached.
    pub fn call(&self, call: NewCall<'_>) -> Result<MadeCall, CallRefusal> {
        self.services.with(|registry, wakes| {
            let call = registry.call(self.session, call, wakes)?;
            let own = registry.take_own(wakes);
            Ok(MadeCall { call, own })
        })
    }

    /// Answers a call for the server, unless it has ended.
    pub fn answer_own(&self, call: CallId, answer: CallAnswer, now: Instant) {
        self.services
            .with(|registry, wakes| registry.answer(SERVER, call, answer, now, wakes));
    }

    /// Answers a call at this moment. Returns whether the session held it.
    pub fn answer(&self, call: CallId, answer: CallAnswer, now: Instant) -> bool {
        self.services
            .with(|registry, wakes| registry.answer(self.session, call, answer, now, wakes))
    }

    /// Ends the session's own call in this way. Returns whether it had not ended; then its end does not
    /// come.
    pub fn cancel(&self, call: CallId, end: CallEnd) -> bool {
        self.services
            .with(|registry, wakes| registry.cancel(self.session, call, end, wakes))
    }

    /// Takes what the session is told next.
    pub fn take(&self) -> Option<ServiceEvent> {
        self.services
            .with(|registry, wakes| registry.take(self.session, wakes))
    }

    /// Returns how many calls the session holds, taken or not.
    pub fn held(&self) -> usize {
        self.services.registry.lock().held(self.session)
    }

    /// Ends the session's offers and calls. Returns the counts of its calls.
    pub fn leave(self) -> SessionCalls {
        self.services
            .with(|registry, wakes| registry.leave(self.session, wakes))
    }

    /// Returns the counts of the session's calls.
    pub fn counts(&self) -> SessionCalls {
        self.services.registry.lock().counts(self.session)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        // It has no effect on a session that has left.
        self.services
            .with(|registry, wakes| registry.leave(self.session, wakes));
    }
}

//! The ends of calls, and properties of any sequence of what sessions do.

mod ends;
mod history;
mod property;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::close::CallEnd;
use crate::services::call::{CallAnswer, CallId, CallRefusal, NewCall, Payload, ServiceEvent};
use crate::services::limits::ServiceLimits;
use crate::services::participants::Wakes;
use crate::services::registry::Registry;
use crate::sync::AtomicWaker;
use crate::wire::{Body, SessionId};

pub(super) const LIMITS: ServiceLimits = ServiceLimits {
    offers: 3,
    calls: 5,
    waiting_calls: 4,
    waiting_bytes: 100,
};

/// A registry whose wake-ups are dropped.
pub(super) struct Tested {
    pub(super) registry: Registry,
    now: Instant,
    wakes: Wakes,
}

impl Tested {
    /// Creates a registry in which these sessions take part.
    pub(super) fn with_sessions(limits: ServiceLimits, sessions: &[u64]) -> Tested {
        let mut tested = Tested {
            registry: Registry::new(limits),
            now: Instant::now(),
            wakes: Wakes::new(),
        };
        sessions.iter().for_each(|session| tested.join(*session));
        tested
    }

    pub(super) fn join(&mut self, session: u64) {
        let user = Arc::from(format!("user{session}"));
        let waker = Arc::new(AtomicWaker::default());
        self.registry.join(SessionId(session), user, waker);
    }

    pub(super) fn offer(&mut self, session: u64, service: &str, limit: u64) {
        let offered = self
            .registry
            .offer(SessionId(session), service, limit, &mut self.wakes);
        offered.expect("the session has fewer offers");
    }

    pub(super) fn withdraw(&mut self, session: u64, service: &str, id: u64) {
        let withdrawn = self
            .registry
            .withdraw(SessionId(session), service, id, &mut self.wakes);
        withdrawn.expect("few withdrawals wait");
    }

    pub(super) fn call(&mut self, session: u64, service: &str) -> Result<CallId, CallRefusal> {
        self.call_with(session, service, "ping")
    }

    pub(super) fn call_with(
        &mut self,
        session: u64,
        service: &str,
        text: &str,
    ) -> Result<CallId, CallRefusal> {
        let call = NewCall {
            service,
            payload: payload(text),
            made_at: self.now,
            deadline: self.now + Duration::from_secs(30),
        };
        self.registry
            .call(SessionId(session), call, &mut self.wakes)
    }

    pub(super) fn reply(&mut self, session: u64, call: CallId) -> bool {
        let answer = CallAnswer::Reply(payload("pong"));
        self.answer(session, call, answer)
    }

    pub(super) fn answer(&mut self, session: u64, call: CallId, answer: CallAnswer) -> bool {
        self.registry
            .answer(SessionId(session), call, answer, self.now, &mut self.wakes)
    }

    pub(super) fn cancel(&mut self, session: u64, call: CallId) -> bool {
        let end = CallEnd::Timeout;
        self.registry
            .cancel(SessionId(session), call, end, &mut self.wakes)
    }

    pub(super) fn leave(&mut self, session: u64) {
        self.registry.leave(SessionId(session), &mut self.wakes);
    }

    pub(super) fn revoke(&mut self, session: u64, service: &str) {
        self.registry
            .revoke(SessionId(session), service, &mut self.wakes);
    }

    pub(super) fn stop_answering(&mut self, session: u64) {
        self.registry
            .stop_answering(SessionId(session), &mut self.wakes);
    }

    pub(super) fn retire(&mut self, session: u64) {
        self.registry
            .retire_all(SessionId(session), &mut self.wakes);
    }

    /// Takes everything that a session is told.
    pub(super) fn take_all(&mut self, session: u64) -> Vec<ServiceEvent> {
        std::iter::from_fn(|| self.take(session)).collect()
    }

    pub(super) fn take(&mut self, session: u64) -> Option<ServiceEvent> {
        self.registry.take(SessionId(session), &mut self.wakes)
    }

    /// Takes everything that a session is told, which is calls only, and returns their numbers.
    pub(super) fn take_calls(&mut self, session: u64) -> Vec<CallId> {
        let events = self.take_all(session).into_iter();
        events
            .map(|event| match event {
                ServiceEvent::Call(given) => given.call,
                other => panic!("not a call: {other:?}"),
            })
            .collect()
    }
}

pub(super) fn payload(text: &str) -> Payload {
    Payload {
        body: Body::text(text).into_owned(),
        headers: None,
    }
}

//! Carries out what the core decides about services.

use std::time::Instant;

use super::SessionIo;
use crate::accounts::UserName;
use crate::actors::handler::Request;
use crate::actors::link::Link;
use crate::actors::session::core::effects::ServiceEffects;
use crate::actors::session::traces;
use crate::close::CallEnd;
use crate::services::{
    CallAnswer, CallId, CallRefusal, MadeCall, Membership, NewCall, OfferRefusal, Payload,
    ServiceInfo, TooManyWithdrawals,
};

impl<L: Link> ServiceEffects for SessionIo<L> {
    fn offer(
        &mut self,
        user: &UserName,
        service: &str,
        limit: Option<u64>,
    ) -> Result<(), OfferRefusal> {
        let membership = self.services.join(&self.listener, self.info.id, user);
        membership.offer(service, limit.unwrap_or(u64::MAX))
    }

    fn withdraw(
        &mut self,
        user: &UserName,
        service: &str,
        id: u64,
    ) -> Result<(), TooManyWithdrawals> {
        let membership = self.services.join(&self.listener, self.info.id, user);
        membership.withdraw(service, id)
    }

    fn revoke_offer(&mut self, service: &str) {
        self.services
            .membership()
            .into_iter()
            .for_each(|membership| membership.revoke(service));
    }

    fn retire_offers(&mut self) {
        self.services
            .membership()
            .into_iter()
            .for_each(Membership::retire);
    }

    fn stop_answering(&mut self) {
        self.services
            .membership()
            .into_iter()
            .for_each(Membership::stop_answering);
    }

    fn call(&mut self, user: &UserName, call: NewCall<'_>) -> Result<CallId, CallRefusal> {
        let session = self.info.id;
        let membership = self.services.join(&self.listener, session, user);
        let (service, traced) = (call.service, traces::traced(call.payload.headers.as_ref()));
        let MadeCall { call, own } = membership.call(call)?;
        if let Some(parent) = &traced {
            traces::log_made(session, call, service, parent);
        }
        if let Some(given) = own
            && let Some(handler) = self.listener.service_handlers.get(&*given.service)
        {
            let Payload { body, headers } = given.payload;
            let headers = headers.unwrap_or_default();
            let span = traces::handler_span(session, user.as_str(), &headers);
            let request = Request::new(user.as_str(), session, body).with_headers(headers);
            let answer = span.in_scope(|| handler.handle(request));
            self.services.answer_own(call, answer.within(span));
        }
        self.services
            .note_made(call, self.listener.in_work.admit(1), traced);
        Ok(call)
    }

    fn answer_call(&mut self, call: CallId, answer: CallAnswer, now: Instant) {
        if let Some(membership) = self.services.membership() {
            membership.answer(call, answer, now);
        }
    }

    fn cancel_call(&mut self, call: CallId, end: CallEnd) -> bool {
        self.services.cancel(call, end)
    }

    fn calls_held(&self) -> usize {
        self.services.membership().map_or(0, Membership::held)
    }

    fn leave_services(&mut self) {
        self.services.leave();
    }

    fn list_services(&self, after: &str, most: usize) -> Vec<ServiceInfo> {
        self.listener.services.list(after, most)
    }
}

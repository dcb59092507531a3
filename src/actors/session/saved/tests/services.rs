//! The services of the core's own tests.

use std::time::Instant;

use super::session::Io;
use crate::accounts::UserName;
use crate::actors::session::core::effects::ServiceEffects;
use crate::close::CallEnd;
use crate::services::{
    CallAnswer, CallId, CallRefusal, NewCall, OfferRefusal, ServiceInfo, TooManyWithdrawals,
};

impl ServiceEffects for Io {
    fn offer(
        &mut self,
        user: &UserName,
        service: &str,
        limit: Option<u64>,
    ) -> Result<(), OfferRefusal> {
        self.others.offer(user, service, limit)
    }

    fn withdraw(
        &mut self,
        user: &UserName,
        service: &str,
        id: u64,
    ) -> Result<(), TooManyWithdrawals> {
        self.others.withdraw(user, service, id)
    }

    fn revoke_offer(&mut self, service: &str) {
        self.others.revoke_offer(service);
    }

    fn retire_offers(&mut self) {
        self.others.retire_offers();
    }

    fn stop_answering(&mut self) {
        self.others.stop_answering();
    }

    fn call(&mut self, user: &UserName, call: NewCall<'_>) -> Result<CallId, CallRefusal> {
        self.others.call(user, call)
    }

    fn answer_call(&mut self, call: CallId, answer: CallAnswer, now: Instant) {
        self.others.answer_call(call, answer, now);
    }

    fn cancel_call(&mut self, call: CallId, end: CallEnd) -> bool {
        self.others.cancel_call(call, end)
    }

    fn calls_held(&self) -> usize {
        self.others.calls_held()
    }

    fn leave_services(&mut self) {
        self.others.leave_services();
    }

    fn list_services(&self, after: &str, most: usize) -> Vec<ServiceInfo> {
        self.others.list_services(after, most)
    }
}

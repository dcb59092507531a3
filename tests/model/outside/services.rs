//! The core's effects on services: none, as no setting of the model has them.

use std::time::Instant;

use arauto::internal::services::{
    CallAnswer, CallId, CallRefusal, NewCall, OfferRefusal, ServiceInfo, TooManyWithdrawals,
};
use arauto::internal::session::effects::ServiceEffects;
use arauto::{CallEnd, UserName};

use super::Outside;

impl ServiceEffects for Outside<'_> {
    fn offer(
        &mut self,
        _user: &UserName,
        _service: &str,
        _limit: Option<u64>,
    ) -> Result<(), OfferRefusal> {
        Err(OfferRefusal::TooMany(0))
    }

    fn withdraw(
        &mut self,
        _user: &UserName,
        _service: &str,
        _id: u64,
    ) -> Result<(), TooManyWithdrawals> {
        Err(TooManyWithdrawals)
    }

    fn revoke_offer(&mut self, _service: &str) {}

    fn retire_offers(&mut self) {}

    fn stop_answering(&mut self) {}

    fn call(&mut self, _user: &UserName, _call: NewCall<'_>) -> Result<CallId, CallRefusal> {
        Err(CallRefusal::NotOffered)
    }

    fn answer_call(&mut self, _call: CallId, _answer: CallAnswer, _now: Instant) {}

    fn cancel_call(&mut self, _call: CallId, _end: CallEnd) -> bool {
        false
    }

    fn calls_held(&self) -> usize {
        0
    }

    fn leave_services(&mut self) {}

    fn list_services(&self, _after: &str, _most: usize) -> Vec<ServiceInfo> {
        Vec::new()
    }
}

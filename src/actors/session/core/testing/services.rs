//! The services around the core.

use std::time::Instant;

use super::effect::Effect;
use super::outside::Outside;
use crate::accounts::UserName;
use crate::actors::session::core::effects::ServiceEffects;
use crate::close::CallEnd;
use crate::services::{
    CallAnswer, CallId, CallRefusal, NewCall, OfferRefusal, ServiceInfo, TooManyWithdrawals,
};

impl ServiceEffects for Outside {
    fn offer(
        &mut self,
        _user: &UserName,
        service: &str,
        limit: Option<u64>,
    ) -> Result<(), OfferRefusal> {
        self.effects.push(Effect::Offer(service.to_owned(), limit));
        Ok(())
    }

    fn withdraw(
        &mut self,
        _user: &UserName,
        service: &str,
        id: u64,
    ) -> Result<(), TooManyWithdrawals> {
        self.effects.push(Effect::Withdraw(service.to_owned(), id));
        Ok(())
    }

    fn revoke_offer(&mut self, service: &str) {
        self.effects.push(Effect::RevokeOffer(service.to_owned()));
    }

    fn retire_offers(&mut self) {
        self.effects.push(Effect::RetireOffers);
    }

    fn stop_answering(&mut self) {
        self.effects.push(Effect::StopAnswering);
        self.calls_held = 0;
    }

    fn call(&mut self, _user: &UserName, call: NewCall<'_>) -> Result<CallId, CallRefusal> {
        let made = match self.call_refusal {
            Some(refusal) => Err(refusal),
            None => {
                let is_made = |effect: &&Effect| matches!(effect, Effect::Call(_, Some(_)));
                let made = self.effects.iter().filter(is_made).count();
                Ok(CallId(made as u64 + 1))
            }
        };
        let number = made.ok().map(|call| call.0);
        self.effects
            .push(Effect::Call(call.service.to_owned(), number));
        made
    }

    fn answer_call(&mut self, call: CallId, answer: CallAnswer, _now: Instant) {
        let is_reply = matches!(answer, CallAnswer::Reply(_));
        self.effects.push(Effect::AnswerCall(call.0, is_reply));
    }

    fn cancel_call(&mut self, call: CallId, _end: CallEnd) -> bool {
        self.effects.push(Effect::CancelCall(call.0));
        !self.ended_calls.contains(&call.0)
    }

    fn calls_held(&self) -> usize {
        self.calls_held
    }

    fn leave_services(&mut self) {
        self.effects.push(Effect::LeaveServices);
        self.calls_held = 0;
    }

    fn list_services(&self, _after: &str, _most: usize) -> Vec<ServiceInfo> {
        Vec::new()
    }
}

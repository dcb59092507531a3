//! The effects of a session's decisions about services.

use std::time::Instant;

use crate::accounts::UserName;
use crate::close::CallEnd;
use crate::services::{
    CallAnswer, CallId, CallRefusal, NewCall, OfferRefusal, ServiceInfo, TooManyWithdrawals,
};

/// The services that a session calls and offers.
pub trait ServiceEffects {
    /// Offers a service for this user, or changes the offer's limit.
    fn offer(
        &mut self,
        user: &UserName,
        service: &str,
        limit: Option<u64>,
    ) -> Result<(), OfferRefusal>;

    /// Takes an offer back; [`ServiceEvent::Withdrawn`](crate::services::ServiceEvent::Withdrawn) tells of its end.
    fn withdraw(
        &mut self,
        user: &UserName,
        service: &str,
        id: u64,
    ) -> Result<(), TooManyWithdrawals>;

    /// Takes back an offer that rules no longer allow, of which the client is told.
    fn revoke_offer(&mut self, service: &str);

    /// Has the session given no further call.
    fn retire_offers(&mut self);

    /// Has the session given no further call, and gives up those that it holds.
    fn stop_answering(&mut self);

    /// Makes a call for this user.
    fn call(&mut self, user: &UserName, call: NewCall<'_>) -> Result<CallId, CallRefusal>;

    /// Answers a call, if the session holds it.
    fn answer_call(&mut self, call: CallId, answer: CallAnswer, now: Instant);

    /// Ends the session's own call in this way. Returns whether it had not ended.
    fn cancel_call(&mut self, call: CallId, end: CallEnd) -> bool;

    /// Returns how many calls the session holds.
    fn calls_held(&self) -> usize;

    /// Cancels the session's own calls, takes its offers back, and gives up the calls that it holds.
    fn leave_services(&mut self);

    /// Returns at most `most` services whose names are above `after`.
    fn list_services(&self, after: &str, most: usize) -> Vec<ServiceInfo>;
}

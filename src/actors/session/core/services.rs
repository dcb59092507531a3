//! Services: the session's calls, its offers, and the calls that it answers.
//!
//! A call does not hold up other frames, and its answer may overtake theirs. That is so in the text
//! dialect too, whose answers have no ids: a session that waited could not answer its own calls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Core;
use super::answers::answer_within;
use super::effects::Effects;
use super::own_calls::ServicePart;
use super::publish::refuse;
use super::rules::SessionRules;
use super::state::{Member, State};
use crate::accounts::UserName;
use crate::close::CallEnd;
use crate::services::{
    CallAnswer, CallId, CallOutcome, CallRefusal, GivenCall, NewCall, OfferRefusal, Payload,
    ServiceEvent,
};
use crate::topic::{Permissions, RuleKind, Topic, Verdict};
use crate::wire::{
    AnswerFrame, CallFrame, Cancelled, CloseReason, ErrorCode, Headers, IdFrame, Offer, Quote,
    ReplyFrame, ReplyOptions, Request, ServerFrame, Withdraw, Withdrawn,
};

/// How long an answer counts where the request names no time.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// When a call that met a limit may be made again.
const RETRY: Duration = Duration::from_millis(100);

impl Core {
    pub(super) fn offer<E: Effects>(&mut self, offer: &Offer<'_>, fx: &mut E) {
        self.count_answered(fx);
        let (id, service) = (offer.id, &*offer.service);
        if let Err(error) = offer.check() {
            return refuse(fx, id, error.code, &error.message);
        }
        if let Err(problem) = may_use(RuleKind::Offer, service, fx) {
            return refuse(fx, id, ErrorCode::Forbidden, &problem);
        }
        let Some(user) = self.user() else {
            return;
        };
        match fx.offer(&user, service, offer.limit) {
            Ok(()) => {
                self.services().add_offer(service);
                fx.answer(&ServerFrame::Offered(IdFrame { id }));
            }
            Err(error) => {
                let code = match error {
                    OfferRefusal::TooMany(_) => ErrorCode::TooMany,
                    OfferRefusal::OfServer => ErrorCode::Forbidden,
                };
                refuse(fx, id, code, &error.to_string());
            }
        }
    }

    /// Takes an offer back. The answer comes with the end of its last call.
    pub(super) fn withdraw<E: Effects>(&mut self, withdraw: &Withdraw<'_>, fx: &mut E) {
        self.tally.accept(1);
        let (id, Some(user)) = (withdraw.id, self.user()) else {
            return;
        };
        match fx.withdraw(&user, &withdraw.service, id) {
            Ok(()) => self.services().add_withdrawal(id),
            Err(error) => {
                self.note_answered(1, fx);
                refuse(fx, id, ErrorCode::TooMany, &error.to_string());
            }
        }
    }

    /// Makes a call: a request that names a service.
    pub(super) fn call<E: Effects>(&mut self, request: Request<'_>, now: Instant, fx: &mut E) {
        self.tally.accept(1);
        let id = request.id;
        match self.try_call(request, now, fx) {
            Ok((call, deadline)) => self.services().add_call(call, id, deadline),
            Err(refused) => {
                self.note_answered(1, fx);
                refused.tell(id, fx);
            }
        }
    }

    fn try_call<E: Effects>(
        &self,
        request: Request<'_>,
        now: Instant,
        fx: &mut E,
    ) -> Result<(CallId, Instant), Refused> {
        let checked = request.check();
        checked.map_err(|error| Refused::With(error.code, error.message))?;
        let options = request.options.map(|options| *options).unwrap_or_default();
        let service = options.service.as_deref().unwrap_or_default();
        may_use(RuleKind::Call, service, fx)
            .map_err(|problem| Refused::With(ErrorCode::Forbidden, problem))?;
        let timeout = options
            .timeout
            .map_or(DEFAULT_TIMEOUT, Duration::from_millis);
        let deadline = now + timeout;
        let Some(user) = self.user() else {
            return Err(Refused::Limit("this session has not logged in".to_owned()));
        };
        let call = NewCall {
            service,
            payload: Payload {
                body: request.body.into_owned(),
                headers: options.headers.map(Headers::into_owned),
            },
            made_at: now,
            deadline,
        };
        match fx.call(&user, call) {
            Ok(call) => Ok((call, deadline)),
            Err(error @ CallRefusal::NotOffered) => {
                Err(Refused::With(ErrorCode::Unavailable, error.to_string()))
            }
            Err(error) => Err(Refused::Limit(error.to_string())),
        }
    }

    /// Answers a call. An answer to a call that the session does not hold has no effect.
    pub(super) fn answer_call<E: Effects>(
        &mut self,
        answer: AnswerFrame<'_>,
        now: Instant,
        fx: &mut E,
    ) {
        let checked = answer.check();
        let result = match answer.result {
            // It has no id, so that the client cannot be told; its caller can.
            _ if let Err(error) = checked => CallAnswer::Failed {
                code: error.code.to_string(),
                message: error.message,
            },
            Ok((body, headers)) => CallAnswer::Reply(Payload {
                body: body.into_owned(),
                headers: headers.map(Headers::into_owned),
            }),
            Err(error) => CallAnswer::Failed {
                code: error.code.into_owned(),
                message: error.message.into_owned(),
            },
        };
        fx.answer_call(CallId(answer.call), result, now);
    }

    /// Tells the client what has happened to its services and calls.
    pub fn service_event<E: Effects>(&mut self, event: ServiceEvent, now: Instant, fx: &mut E) {
        match event {
            ServiceEvent::Call(given) => tell_call(*given, now, fx),
            ServiceEvent::Cancelled(call) => {
                fx.answer(&ServerFrame::Cancelled(Cancelled { call: call.0 }));
            }
            ServiceEvent::Withdrawn { service, id } => self.tell_withdrawn(&service, id, fx),
            ServiceEvent::Outcome(call, outcome) => {
                if let Some(id) = self.services().end_call(call) {
                    self.note_answered(1, fx);
                    self.timers.note_input(now); // what it waited for is not its idleness
                    tell_outcome(id, outcome, fx);
                }
            }
        }
    }

    fn tell_withdrawn<E: Effects>(&mut self, service: &Arc<str>, id: Option<u64>, fx: &mut E) {
        let part = self.services();
        match id {
            None => part.remove_offer(service),
            Some(id) if part.end_withdrawal(id) => self.note_answered(1, fx),
            Some(_) => return,
        }
        fx.answer(&ServerFrame::Withdrawn(Withdrawn {
            id,
            service: (&**service).into(),
        }));
    }

    /// Ends the calls whose time is over. Returns whether there was one.
    pub(super) fn expire_calls<E: Effects>(&mut self, now: Instant, fx: &mut E) -> bool {
        let mut has_expired = false;
        while let Some(part) = &mut self.services
            && let Some((deadline, call)) = part.next_deadline()
            && deadline <= now
        {
            if !fx.cancel_call(call, CallEnd::Timeout) {
                part.end_deadline(call); // its answer has come, and is told once there is room
                continue;
            }
            has_expired = true;
            let Some(id) = part.end_call(call) else {
                continue;
            };
            self.note_answered(1, fx);
            let message = "the service did not answer in time";
            refuse(fx, id, ErrorCode::Timeout, message);
        }
        has_expired
    }

    /// Ends the session's part in services, and answers the frames that wait for it.
    pub(super) fn end_services<E: Effects>(&mut self, fx: &mut E) {
        let Some(mut part) = self.services.take() else {
            return;
        };
        while let Some(call) = part.any_call() {
            fx.cancel_call(call, CallEnd::CallerEnded);
            if let Some(id) = part.end_call(call) {
                self.note_answered(1, fx);
                let message = "the session ends, and the service has not answered";
                refuse(fx, id, ErrorCode::Unavailable, message);
            }
        }
        for id in part.take_withdrawals() {
            self.note_answered(1, fx);
            let message = "the session ends, and calls of the service are in work";
            refuse(fx, id, ErrorCode::Unavailable, message);
        }
        fx.leave_services();
    }

    /// Ends the session's part in services without an answer.
    pub(super) fn leave_services<E: Effects>(&mut self, fx: &mut E) {
        if self.services.take().is_some() {
            fx.leave_services();
        }
    }

    /// Whether an ending must wait for calls, the session's own or those that it answers.
    pub(super) fn finishes_calls<E: Effects>(&mut self, fx: &mut E) -> bool {
        if self.services.is_none() || self.state.ending().is_none() {
            return false;
        }
        self.end_calls_of_closed_input(fx);
        fx.rules().awaits_calls() && (self.awaits_services() || self.drains_calls(fx))
    }

    /// A client that has closed its side answers no call any more. One that has gone altogether waits
    /// for none either.
    pub(super) fn end_calls_of_closed_input<E: Effects>(&mut self, fx: &mut E) {
        if !self.input.is_over || self.services.is_none() {
            return;
        }
        if fx.half_closes() && !fx.is_hung_up() {
            fx.stop_answering();
        } else {
            self.leave_services(fx);
        }
    }

    /// Takes back the offers that the operator's rules no longer allow.
    pub(super) fn check_offers<E: Effects>(&mut self, fx: &mut E) {
        let Some(part) = &self.services else {
            return;
        };
        let is_refused = |service: &&str| may_use(RuleKind::Offer, service, fx).is_err();
        let refused: Vec<String> = part
            .offers()
            .filter(is_refused)
            .map(str::to_owned)
            .collect();
        for service in refused {
            fx.revoke_offer(&service);
        }
    }

    /// Whether the session waits for the end of a call of its own.
    pub(super) fn has_calls(&self) -> bool {
        self.services.as_ref().is_some_and(|part| part.has_calls())
    }

    /// Whether frames about services wait for their answers.
    pub(super) fn awaits_services(&self) -> bool {
        self.services
            .as_ref()
            .is_some_and(|part| part.owes_answers())
    }

    /// Whether a session that ends by itself still has calls to answer.
    pub(super) fn drains_calls<E: Effects>(&self, fx: &E) -> bool {
        let is_draining = match &self.state {
            State::Ending(ending) => ending.reason() == CloseReason::Fim,
            _ => false,
        };
        is_draining
            && !self.state.has_said_closing()
            && self.services.is_some()
            && fx.calls_held() > 0
    }

    fn services(&mut self) -> &mut ServicePart {
        self.services.get_or_insert_default()
    }

    fn user(&self) -> Option<UserName> {
        self.state.member().and_then(Member::user).cloned()
    }
}

/// Why a call was not made.
enum Refused {
    With(ErrorCode, String),
    /// It may be made again later.
    Limit(String),
}

impl Refused {
    fn tell<E: Effects>(self, id: u64, fx: &mut E) {
        match self {
            Refused::With(code, message) => refuse(fx, id, code, &message),
            Refused::Limit(message) => {
                fx.answer(&ServerFrame::throttled(Some(id), message, RETRY));
            }
        }
    }
}

/// Sends a call to the client. One that does not fit into a frame is answered so.
fn tell_call<E: Effects>(given: GivenCall, now: Instant, fx: &mut E) {
    let remaining = given.deadline.saturating_duration_since(now);
    let call = given.call;
    let fits = fx.answer_within(&ServerFrame::Call(CallFrame {
        call: call.0,
        service: (&*given.service).into(),
        from: (&*given.from).into(),
        body: given.payload.body,
        remaining: u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX),
        headers: given.payload.headers,
    }));
    if !fits {
        fx.answer_call(call, CallAnswer::TooLong, now);
    }
}

fn tell_outcome<E: Effects>(id: u64, outcome: CallOutcome, fx: &mut E) {
    let (from, answer) = match outcome {
        CallOutcome::Answered { from, answer } => (from, answer),
        CallOutcome::Unavailable(why) => {
            return refuse(fx, id, ErrorCode::Unavailable, &why.to_string());
        }
    };
    match answer {
        CallAnswer::Reply(Payload { body, headers }) => {
            let options = ReplyOptions {
                from: Some((&*from).into()),
                headers,
            };
            let options = Some(Box::new(options));
            answer_within(
                fx,
                id,
                &ServerFrame::Reply(ReplyFrame { id, body, options }),
            );
        }
        CallAnswer::Failed { code, message } => {
            refuse(fx, id, ErrorCode::Failed, &format!("{code}: {message}"));
        }
        CallAnswer::TooLong => {
            let message = "the call's frame would be longer than the responder takes";
            refuse(fx, id, ErrorCode::FrameTooLarge, message);
        }
    }
}

/// Decides whether the client may call or offer a service.
///
/// A matching deny rule refuses. If there are allow rules one must match, and then the role is not
/// asked. Where no rule decides, everybody may call, and offering needs the role escritor.
///
/// # Errors
/// Returns why it may not, for people.
fn may_use<E: Effects>(kind: RuleKind, service: &str, fx: &E) -> Result<(), String> {
    let Some(role) = fx.role() else {
        return Err("services need a login".to_owned());
    };
    let name = Topic::of_checked(service);
    let judge = |permissions: Arc<Permissions>| permissions.judge(kind, Some(&name));
    match fx.permissions(kind).map_or(Verdict::Unruled, judge) {
        Verdict::Allowed => Ok(()),
        Verdict::Unruled if kind == RuleKind::Call || role.may_publish() => Ok(()),
        Verdict::Unruled => Err("offering a service needs the role escritor".to_owned()),
        Verdict::Denied => Err(format!(
            "the operator's rules do not allow you to {} {}",
            kind.as_str(),
            Quote::new(service)
        )),
    }
}

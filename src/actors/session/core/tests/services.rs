//! Calls, offers, and what a session's end owes to both.

use std::time::Duration;

use crate::actors::session::core::testing::{
    Effect, LIMITS, Run, answer, ask, entry, fim, login, offer, ping, request, status, withdraw,
};
use crate::actors::session::core::{Served, effects::Done};
use crate::close::Phase;
use crate::services::{
    CallAnswer, CallId, CallOutcome, CallRefusal, GivenCall, Payload, ServiceEvent, Unavailability,
};
use crate::wire::{Body, ErrorCode, Role, Seq, WireError};

const SECOND: Duration = Duration::from_secs(1);

fn payload(text: &'static str) -> Payload {
    Payload {
        body: Body::text(text),
        headers: None,
    }
}

/// The end of a call, by a session of rui.
fn answered(call: u64, answer: CallAnswer) -> ServiceEvent {
    let from = "rui".into();
    ServiceEvent::Outcome(CallId(call), CallOutcome::Answered { from, answer })
}

fn replied(call: u64) -> ServiceEvent {
    answered(call, CallAnswer::Reply(payload("sim")))
}

impl Run {
    fn tell(&mut self, event: ServiceEvent) -> &mut Run {
        self.core.service_event(event, self.now, &mut self.out);
        self
    }

    /// A session of a responder is given a call.
    fn give(&mut self, call: u64) -> &mut Run {
        let given = GivenCall {
            call: CallId(call),
            service: "up".into(),
            from: "rui".into(),
            payload: payload("bom dia"),
            deadline: self.now + 30 * SECOND,
        };
        self.out.calls_held += 1;
        self.tell(ServiceEvent::Call(Box::new(given)))
    }

    fn counts(&self) -> (u64, u64) {
        let record = self.record();
        (record.accepted, record.answered)
    }
}

#[test]
fn calls_hold_up_no_frame_and_replies_come_in_any_order() {
    let mut run = Run::member();
    let served = run.frames([ask(2, "up"), ask(3, "up"), ping(4)]);
    assert_eq!(served, [Served::Done; 3]);
    assert_eq!(run.answers(), ["pong 4"]);
    assert_eq!(run.counts(), (3, 1));
    run.tell(replied(2)).tell(replied(1));
    assert_eq!(run.answers(), ["reply 3 from rui", "reply 2 from rui"]);
    assert_eq!(run.counts(), (3, 3));
}

#[test]
fn call_waits_behind_a_request_to_the_handler() {
    let mut run = Run::member();
    let served = run.frames([request(2), ask(3, "up")]);
    assert_eq!(served, [Served::Done, Served::Later]);
    run.done(Done::Replied(Ok("sim".into())));
    assert_eq!(run.frame(ask(3, "up")), Served::Done);
}

#[test]
fn end_of_a_call_is_told_by_its_code() {
    let failed = CallAnswer::Failed {
        code: "no-paper".to_owned(),
        message: "the printer is empty".to_owned(),
    };
    let ended = CallOutcome::Unavailable(Unavailability::ResponderEnded);
    let ends = [
        (answered(1, failed), "error 2 failed"),
        (answered(1, CallAnswer::TooLong), "error 2 frame-too-large"),
        (
            ServiceEvent::Outcome(CallId(1), ended),
            "error 2 unavailable",
        ),
    ];
    for (end, expected) in ends {
        let mut run = Run::member();
        run.frame(ask(2, "up"));
        run.tell(end);
        assert_eq!(run.answers(), [expected]);
        assert_eq!(run.counts(), (1, 1));
    }
}

#[test]
fn refused_call_is_answered_at_once() {
    for (refusal, expected) in [
        (CallRefusal::NotOffered, "error 2 unavailable"),
        (CallRefusal::CallerLimit(9), "error 2 throttled"),
        (CallRefusal::WaitingLimit(9), "error 2 throttled"),
        (CallRefusal::WaitingBytes, "error 2 throttled"),
    ] {
        let mut run = Run::member();
        run.out.call_refusal = Some(refusal);
        run.frame(ask(2, "up"));
        assert_eq!(run.answers(), [expected]);
        assert_eq!(run.counts(), (1, 1));
        assert_eq!(run.sleep(), LIMITS.idle_timeout);
    }
}

#[test]
fn call_without_an_answer_in_time_is_cancelled() {
    let mut run = Run::member();
    run.frame(ask(2, "up"));
    assert_eq!(run.sleep(), Some(30 * SECOND));
    assert!(!run.pass(29 * SECOND));
    run.effects();
    assert!(run.pass(SECOND));
    assert_eq!(run.answers(), ["error 2 timeout"]);
    assert_eq!(run.effects(), [Effect::CancelCall(1)]);
    run.tell(replied(1));
    assert_eq!(run.answers(), [""; 0]);
}

#[test]
fn answer_that_came_before_the_deadline_is_told_behind_it() {
    let mut run = Run::member();
    run.frame(ask(2, "up"));
    run.out.ended_calls.push(1);
    assert!(!run.pass(31 * SECOND));
    assert_eq!(run.answers(), [""; 0]);
    run.tell(replied(1));
    assert_eq!(run.answers(), ["reply 2 from rui"]);
}

#[test]
fn call_goes_to_the_client_and_its_answer_back_uncounted() {
    let mut run = Run::member();
    assert_eq!(run.frame(offer(2, "up", Some(3))), Served::Done);
    run.give(9);
    assert_eq!(run.frame(answer(9)), Served::Done);
    run.tell(ServiceEvent::Cancelled(CallId(8)));
    assert_eq!(run.answers(), ["offered 2", "call 9 up", "cancelled 8"]);
    let expected = [
        Effect::Offer("up".to_owned(), Some(3)),
        Effect::AnswerCall(9, true),
    ];
    assert_eq!(run.effects(), expected);
    assert_eq!(run.counts(), (1, 1));
}

#[test]
fn call_that_is_too_long_for_its_responder_is_answered_so() {
    let mut run = Run::member();
    run.frame(offer(2, "up", None));
    run.clear();
    run.out.is_too_long = true;
    run.give(9);
    assert_eq!(run.effects(), [Effect::AnswerCall(9, false)]);
}

#[test]
fn offering_needs_escritor_and_calling_does_not() {
    let mut run = Run::member();
    run.out.account_role = Role::Leitor;
    run.frames([offer(2, "up", None), ask(3, "up")]);
    assert_eq!(run.answers(), ["error 2 forbidden"]);
    assert_eq!(run.effects(), [Effect::Call("up".to_owned(), Some(1))]);
}

#[test]
fn withdrawal_is_answered_with_the_last_call() {
    let mut run = Run::member();
    run.frames([offer(2, "up", None), withdraw(3, "up"), ping(4)]);
    assert_eq!(run.answers(), ["offered 2", "pong 4"]);
    assert_eq!(run.counts(), (3, 2));
    run.tell(ServiceEvent::Withdrawn {
        service: "up".into(),
        id: Some(3),
    });
    assert_eq!(run.answers(), ["withdrawn 3 up"]);
    assert_eq!(run.counts(), (3, 3));
}

#[test]
fn responder_that_ends_by_itself_answers_what_it_holds_first() {
    let mut run = Run::member();
    run.frame(offer(2, "up", None));
    run.give(9).clear();
    run.frame(fim(3));
    assert_eq!(run.effects(), [Effect::RetireOffers]);
    run.advance_and_write();
    assert!(run.takes_frames());
    run.pass(LIMITS.drain_timeout + SECOND);
    run.frames([ping(4), answer(9)]);
    run.out.calls_held = 0;
    run.advance_and_write();
    assert_eq!(run.answers(), ["closing fim at 0, 1 accepted, 0 refused"]);
    let effects = run.effects();
    assert!(
        effects.contains(&Effect::AnswerCall(9, true)),
        "{effects:?}"
    );
}

#[test]
fn bytes_behind_fim_that_are_no_frame_give_up_the_calls() {
    let mut run = Run::member();
    run.frame(offer(2, "up", None));
    run.give(9).clear();
    run.frame(fim(3));
    let error = WireError {
        code: ErrorCode::BadFrame,
        message: "no frame".to_owned(),
    };
    assert!(run.core.bad_input(&error, &mut run.out));
    run.advance_and_write();
    assert!(run.effects().contains(&Effect::StopAnswering));
    assert_eq!(run.answers(), ["closing fim at 0, 1 accepted, 0 refused"]);
}

#[test]
fn caller_that_ends_by_itself_gets_its_answers_first() {
    let mut run = Run::member();
    run.frames([ask(2, "up"), fim(3)]);
    run.advance_and_write();
    assert_eq!(run.answers(), [""; 0]);
    run.tell(replied(1));
    run.advance_and_write();
    assert_eq!(
        run.answers(),
        [
            "reply 2 from rui",
            "closing fim at 0, 1 accepted, 0 refused"
        ]
    );
}

#[test]
fn responder_that_closes_its_side_gives_up_its_calls() {
    let mut run = Run::member();
    run.frame(offer(2, "up", None));
    run.give(9).clear();
    run.core.hang_up();
    assert!(run.core.end_of_input(false, &mut run.out));
    run.advance_and_write();
    assert!(run.effects().contains(&Effect::StopAnswering));
    assert_eq!(
        run.answers(),
        ["closing disconnected at 0, 1 accepted, 0 refused"]
    );
}

#[test]
fn caller_that_closes_its_side_still_gets_its_answer() {
    let mut run = Run::member();
    run.frame(ask(2, "up"));
    run.core.hang_up();
    assert!(!run.core.end_of_input(false, &mut run.out));
    run.tell(replied(1));
    assert!(run.core.end_of_input(false, &mut run.out));
    run.advance_and_write();
    assert_eq!(run.answers()[0], "reply 2 from rui");
}

#[test]
fn caller_that_has_gone_is_not_waited_for() {
    let mut run = Run::member();
    run.frame(ask(2, "up"));
    run.core.hang_up();
    run.out.is_hung_up = true;
    run.core.tick(run.now, &mut run.out);
    run.pass(SECOND);
    assert!(run.core.is_closed());
    assert!(run.effects().contains(&Effect::LeaveServices));
}

#[test]
fn stop_serves_answers_behind_the_cut_and_then_ends_calls() {
    let mut run = Run::member();
    run.frames([offer(2, "up", None), ask(3, "down")]);
    run.give(9).clear();
    run.core.announce(status(Phase::Announce), &mut run.out);
    run.frames([answer(9), ask(4, "down")]);
    assert_eq!(run.answers(), ["stopping - announce", "error 4 stopping"]);
    assert_eq!(run.effects(), [Effect::AnswerCall(9, true)]);
    run.core.drain(Seq::ZERO, run.now, &mut run.out);
    let expected = [Effect::CancelCall(1), Effect::LeaveServices];
    assert_eq!(run.effects(), expected);
    assert_eq!(run.answers(), ["error 3 unavailable"]);
    run.frame(answer(9));
    let record = run.record();
    assert_eq!(
        (record.accepted, record.answered, record.refused),
        (2, 2, 1)
    );
}

#[test]
fn session_that_fails_answers_its_calls_and_leaves() {
    let mut run = Run::member();
    run.frames([offer(2, "up", None), ask(3, "down")]);
    run.core.panicked(&mut run.out);
    assert!(run.effects().contains(&Effect::LeaveServices));
    let answers = run.answers();
    assert_eq!(answers[1..], ["error 3 unavailable", "error - internal"]);
    assert_eq!(run.counts(), (2, 2));
}

#[test]
fn session_without_a_login_has_no_services() {
    let mut run = Run::new();
    run.frames([offer(1, "up", None), ask(2, "up"), answer(3)]);
    let answers = run.answers();
    assert_eq!(
        answers[..2],
        ["error 1 not-logged-in", "error 2 not-logged-in"]
    );
    run.frame(login(4));
    run.done(Done::Login(Ok(entry(Seq::ZERO))));
    assert_eq!(run.frame(offer(5, "up", None)), Served::Done);
}

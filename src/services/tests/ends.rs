//! How calls end.

use super::{LIMITS, Tested, payload};
use crate::close::SessionCalls;
use crate::services::call::{
    CallAnswer, CallId, CallOutcome, CallRefusal, ServiceEvent, Unavailability,
};
use crate::services::limits::{REPLY_BYTES, ServiceLimits, UNTAKEN_BYTES};
use crate::wire::SessionId;

const CALLER: u64 = 1;
const ANA: u64 = 2;
const RUI: u64 = 3;

/// A registry with a caller and two sessions that offer `up`, one call at a time each.
fn two_responders() -> Tested {
    let mut tested = Tested::with_sessions(LIMITS, &[CALLER, ANA, RUI]);
    tested.offer(ANA, "up", 1);
    tested.offer(RUI, "up", 1);
    tested
}

fn unavailable(call: CallId, why: Unavailability) -> ServiceEvent {
    ServiceEvent::Outcome(call, CallOutcome::Unavailable(why))
}

#[test]
fn reply_reaches_its_caller_and_only_the_first_one_counts() {
    let mut tested = two_responders();
    let call = tested.call(CALLER, "up").expect("it is offered");
    assert!(!tested.reply(ANA, call), "it has not taken the call");
    assert_eq!(tested.take_calls(ANA), [call]);
    assert!(!tested.reply(RUI, call), "the call is not its own");
    assert!(tested.reply(ANA, call));
    assert!(!tested.reply(ANA, call));
    let outcome = CallOutcome::Answered {
        from: "user2".into(),
        answer: CallAnswer::Reply(payload("pong")),
    };
    assert_eq!(
        tested.take_all(CALLER),
        [ServiceEvent::Outcome(call, outcome)]
    );
    let counts = tested.registry.counts(SessionId(ANA));
    let expected = SessionCalls {
        held: 1,
        answered: 1,
        ..SessionCalls::default()
    };
    assert_eq!(counts, expected);
}

#[test]
fn call_of_a_service_that_is_not_offered_is_refused() {
    let mut tested = two_responders();
    assert_eq!(tested.call(CALLER, "down"), Err(CallRefusal::NotOffered));
    tested.withdraw(ANA, "up", 1);
    tested.withdraw(RUI, "up", 2);
    assert_eq!(tested.call(CALLER, "up"), Err(CallRefusal::NotOffered));
}

#[test]
fn calls_wait_in_order_until_a_session_is_free() {
    let mut tested = two_responders();
    let calls: Vec<CallId> = (0..4)
        .map(|_| tested.call(CALLER, "up").expect("it is offered"))
        .collect();
    assert_eq!(tested.take_calls(ANA), calls[..1]);
    assert_eq!(tested.take_calls(RUI), calls[1..2]);
    assert!(tested.reply(RUI, calls[1]));
    assert_eq!(tested.take_calls(RUI), calls[2..3]);
    assert!(tested.reply(ANA, calls[0]));
    assert_eq!(tested.take_calls(ANA), calls[3..]);
}

#[test]
fn taken_call_of_a_session_that_ends_is_unavailable() {
    let mut tested = two_responders();
    let call = tested.call(CALLER, "up").expect("it is offered");
    assert_eq!(tested.take_calls(ANA), [call]);
    tested.leave(ANA);
    let expected = unavailable(call, Unavailability::ResponderEnded);
    assert_eq!(tested.take_all(CALLER), [expected]);
    assert_eq!(tested.take_all(RUI), [], "it may have been done");
}

#[test]
fn call_that_was_not_taken_goes_to_another_session() {
    let mut tested = two_responders();
    let call = tested.call(CALLER, "up").expect("it is offered");
    tested.leave(ANA);
    assert_eq!(tested.take_calls(RUI), [call]);
    assert!(tested.reply(RUI, call));
}

#[test]
fn waiting_call_is_unavailable_when_no_session_offers_any_more() {
    let mut tested = two_responders();
    let calls: Vec<CallId> = (0..3)
        .map(|_| tested.call(CALLER, "up").expect("it is offered"))
        .collect();
    tested.take_calls(ANA);
    tested.take_calls(RUI);
    tested.withdraw(ANA, "up", 7);
    assert_eq!(tested.take_all(CALLER), []);
    tested.leave(RUI);
    let expected = [
        unavailable(calls[1], Unavailability::ResponderEnded),
        unavailable(calls[2], Unavailability::NotOffered),
    ];
    assert_eq!(tested.take_all(CALLER), expected);
    assert!(tested.reply(ANA, calls[0]), "calls in work go on");
    let withdrawn = ServiceEvent::Withdrawn {
        service: "up".into(),
        id: Some(7),
    };
    assert_eq!(tested.take_all(ANA), [withdrawn]);
}

#[test]
fn withdrawal_is_told_where_the_session_stops_answering() {
    let mut tested = two_responders();
    let call = tested.call(CALLER, "up").expect("it is offered");
    assert_eq!(tested.take_calls(ANA), [call]);
    tested.withdraw(ANA, "up", 7);
    assert_eq!(tested.take_all(ANA), []);
    tested.stop_answering(ANA);
    let withdrawn = ServiceEvent::Withdrawn {
        service: "up".into(),
        id: Some(7),
    };
    assert_eq!(tested.take_all(ANA), [withdrawn]);
    let expected = unavailable(call, Unavailability::ResponderEnded);
    assert_eq!(tested.take_all(CALLER), [expected]);
}

#[test]
fn cancellation_is_told_only_of_a_call_that_was_taken() {
    let mut tested = two_responders();
    let first = tested.call(CALLER, "up").expect("it is offered");
    assert_eq!(tested.take_calls(ANA), [first]);
    let second = tested.call(CALLER, "up").expect("it is offered");
    assert!(tested.cancel(CALLER, second));
    assert_eq!(tested.take_all(RUI), []);
    assert!(tested.cancel(CALLER, first));
    assert!(!tested.cancel(CALLER, first));
    assert_eq!(tested.take_all(ANA), [ServiceEvent::Cancelled(first)]);
    assert!(!tested.reply(ANA, first));
    assert_eq!(tested.take_all(CALLER), []);
    let third = tested.call(CALLER, "up").expect("it is offered");
    let fourth = tested.call(CALLER, "up").expect("it is offered");
    assert_eq!(tested.take_calls(ANA), [third], "its place is free again");
    tested.leave(CALLER);
    assert_eq!(tested.take_all(ANA), [ServiceEvent::Cancelled(third)]);
    assert_eq!(tested.take_all(RUI), [], "{fourth} was not taken");
}

#[test]
fn calls_are_bounded_by_caller_count_and_bytes() {
    let mut tested = two_responders();
    tested.join(4);
    for _ in 0..5 {
        tested.call(CALLER, "up").expect("few calls are in work");
    }
    assert_eq!(tested.call(CALLER, "up"), Err(CallRefusal::CallerLimit(5)));
    assert!(tested.call_with(4, "up", &"x".repeat(60)).is_ok());
    let too_many = tested.call(4, "up");
    assert_eq!(too_many, Err(CallRefusal::WaitingLimit(4)));

    let mut tested = two_responders();
    tested.call(CALLER, "up").expect("ana is free");
    tested.call(CALLER, "up").expect("rui is free");
    let long = "x".repeat(101);
    tested.call_with(CALLER, "up", &long).expect("one may wait");
    assert_eq!(tested.call(CALLER, "up"), Err(CallRefusal::WaitingBytes));
}

#[test]
fn lowered_bounds_refuse_new_calls_and_leave_those_that_wait() {
    let mut tested = Tested::with_sessions(LIMITS, &[CALLER, ANA]);
    tested.offer(ANA, "up", 1);
    let calls = [(); 3].map(|()| tested.call(CALLER, "up").expect("it may wait"));
    tested.registry.set_limits(ServiceLimits {
        waiting_calls: 1,
        ..LIMITS
    });
    assert_eq!(tested.call(CALLER, "up"), Err(CallRefusal::WaitingLimit(1)));
    for call in calls {
        assert_eq!(tested.take_calls(ANA), [call]);
        assert!(tested.answer(ANA, call, CallAnswer::Reply(payload("x"))));
    }
    tested.call(CALLER, "up").expect("none waits");
}

#[test]
fn session_that_takes_nothing_gets_a_bounded_number_of_bytes() {
    let limits = ServiceLimits {
        calls: 100,
        waiting_bytes: 1 << 30,
        waiting_calls: 100,
        ..LIMITS
    };
    let mut tested = Tested::with_sessions(limits, &[CALLER, ANA]);
    tested.offer(ANA, "up", 50);
    tested.offer(ANA, "down", 50);
    let text = "x".repeat(UNTAKEN_BYTES / 4);
    for service in ["up", "down"].repeat(5) {
        tested
            .call_with(CALLER, service, &text)
            .expect("it may wait");
    }
    assert_eq!(
        tested.registry.held(SessionId(ANA)),
        5,
        "the fifth is above the bound"
    );
    assert!(tested.take(ANA).is_some());
    assert_eq!(tested.registry.held(SessionId(ANA)), 6);
    assert_eq!(tested.take_calls(ANA).len(), 9);
}

#[test]
fn reply_to_a_caller_that_takes_none_is_dropped() {
    let mut tested = Tested::with_sessions(LIMITS, &[CALLER, ANA]);
    tested.offer(ANA, "up", 5);
    let long = "x".repeat(REPLY_BYTES / 2 + 1);
    for _ in 0..2 {
        let call = tested.call(CALLER, "up").expect("it is offered");
        assert_eq!(tested.take_calls(ANA), [call]);
        assert!(tested.answer(ANA, call, CallAnswer::Reply(payload(&long))));
    }
    let told = tested.take_all(CALLER);
    assert!(matches!(
        told[0],
        ServiceEvent::Outcome(_, CallOutcome::Answered { .. })
    ));
    let dropped = CallOutcome::Unavailable(Unavailability::ReplyDropped);
    assert_eq!(told[1], ServiceEvent::Outcome(CallId(2), dropped));
    let counts = tested.registry.counts(SessionId(CALLER));
    assert_eq!((counts.made, counts.replied, counts.failed), (2, 1, 1));
}

//! Sessions that call, answer, withdraw and leave at the same time.
//!
//! All of the registry is behind one lock, and its decisions are tested without threads. These tests
//! are about what is outside the lock: a session is woken for each event, whatever it does meanwhile,
//! and what two sessions are told of one call agrees.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use shuttle::{future, thread};

use super::{
    CallAnswer, CallId, CallOutcome, CallRefusal, Membership, NewCall, Payload, ServiceEvent,
    ServiceLimits, Services, Unavailability,
};
use crate::close::CallEnd;
use crate::interleavings::{expect_found, explore};
use crate::wire::{Body, SessionId};

const SERVICE: &str = "up";

/// The id of the frame that withdraws an offer.
const WITHDRAW: u64 = 7;

fn payload() -> Payload {
    Payload {
        body: Body::text("x"),
        headers: None,
    }
}

/// The services, and the memberships of these sessions.
fn services<const N: usize>() -> (Arc<Services>, [Membership; N]) {
    let services = Services::new(ServiceLimits::default(), []);
    let members = std::array::from_fn(|at| {
        let session = SessionId(at as u64 + 1);
        services.join(session, Arc::from(format!("user{}", session.0)))
    });
    (services, members)
}

fn offer(member: &Membership) {
    let offered = member.offer(SERVICE, 1);
    offered.expect("a session may offer more than one service");
}

fn call(member: &Membership) -> Result<CallId, CallRefusal> {
    let now = Instant::now();
    let made = member.call(NewCall {
        service: SERVICE,
        payload: payload(),
        made_at: now,
        deadline: now + Duration::from_secs(30),
    });
    made.map(|made| made.call)
}

fn answer(member: &Membership, call: CallId) -> bool {
    member.answer(call, CallAnswer::Reply(payload()), Instant::now())
}

/// Has the session's task woken for an event, and takes one, in the order in which a session does so.
fn poll_event(member: &Membership, cx: &mut Context<'_>) -> Poll<ServiceEvent> {
    member.register(cx.waker());
    match member.take() {
        Some(event) => Poll::Ready(event),
        None => Poll::Pending,
    }
}

/// Waits for the session's next event.
fn next_event(member: &Membership) -> ServiceEvent {
    future::block_on(poll_fn(|cx| poll_event(member, cx)))
}

/// Waits for the end of a session's only call.
fn outcome(member: &Membership, call: CallId) -> CallOutcome {
    match next_event(member) {
        ServiceEvent::Outcome(ended, outcome) => {
            assert_eq!(ended, call);
            outcome
        }
        event => panic!("not the end of a call: {event:?}"),
    }
}

/// Asserts that no service is left, and that each call has ended.
fn assert_over(services: &Services) {
    assert!(services.list("", 1).is_empty());
    let calls = services.recent_calls(Instant::now()).listed;
    assert!(calls.iter().all(|call| call.end.is_some()), "{calls:?}");
}

fn is_reply(outcome: &CallOutcome) -> bool {
    matches!(
        outcome,
        CallOutcome::Answered {
            answer: CallAnswer::Reply(_),
            ..
        }
    )
}

/// Answers calls until one of them is answered in time. Returns how many were not.
fn answer_one(member: &Membership) -> usize {
    let mut late = Vec::new();
    loop {
        match next_event(member) {
            ServiceEvent::Call(given) if answer(member, given.call) => break,
            ServiceEvent::Call(given) => late.push(given.call),
            ServiceEvent::Cancelled(call) => {
                assert!(late.contains(&call), "{call} was not answered late");
            }
            event => panic!("not about a call: {event:?}"),
        }
    }
    late.len()
}

/// A session ends at any instant; its call goes on at another session, or is unavailable.
fn call_beside_a_session_that_ends() {
    let (services, [caller, leaves, stays]) = services();
    offer(&leaves);
    let leaver = thread::spawn(move || {
        let taken = leaves.take().is_some();
        drop(leaves);
        taken
    });
    offer(&stays);
    let responder = thread::spawn(move || {
        let late = answer_one(&stays);
        assert_eq!(late, 0, "no call is cancelled");
        stays
    });
    let first = call(&caller).expect("a session stays");
    let is_first_replied = is_reply(&outcome(&caller, first));
    let was_taken = leaver.join().expect("it does not panic");
    assert_eq!(is_first_replied, !was_taken);
    if was_taken {
        let second = call(&caller).expect("a session stays");
        assert!(is_reply(&outcome(&caller, second)));
    }
    drop(responder.join().expect("it does not panic"));
    drop(caller);
    assert_over(&services);
}

#[test]
fn call_given_to_a_session_that_ends_has_one_end() {
    explore(call_beside_a_session_that_ends);
}

/// The deadline of the first call passes at any instant; the second call is answered.
fn answer_beside_a_deadline() {
    let (services, [caller, responder]) = services();
    offer(&responder);
    let responder = thread::spawn(move || {
        let late = answer_one(&responder) + answer_one(&responder);
        (late, responder)
    });
    let first = call(&caller).expect("it is offered");
    let is_cancelled = caller.cancel(first, CallEnd::Timeout);
    if !is_cancelled {
        assert!(is_reply(&outcome(&caller, first)), "it was answered before");
    }
    let mut answered = u64::from(!is_cancelled);
    while answered < 2 {
        let next = call(&caller).expect("it is offered");
        assert!(is_reply(&outcome(&caller, next)));
        answered += 1;
    }
    let (late, responder) = responder.join().expect("it does not panic");
    assert!(late <= usize::from(is_cancelled));
    assert_eq!(responder.counts().answered, answered);
    assert_eq!(caller.counts().replied, answered);
    drop((caller, responder));
    assert_over(&services);
}

#[test]
fn answer_at_the_deadline_counts_or_is_ignored() {
    explore(answer_beside_a_deadline);
}

/// Answers what it is given until its offer is withdrawn. Returns the number of answers.
fn withdraw(member: &Membership) -> u64 {
    let withdrawn = member.withdraw(SERVICE, WITHDRAW);
    withdrawn.expect("it is the only frame that withdraws");
    loop {
        match next_event(member) {
            ServiceEvent::Call(given) => assert!(answer(member, given.call)),
            ServiceEvent::Withdrawn { id, .. } => {
                assert_eq!((id, member.held()), (Some(WITHDRAW), 0));
                return member.counts().answered;
            }
            event => panic!("not about a call: {event:?}"),
        }
    }
}

/// An offer is withdrawn while two sessions call. It takes one call at once, so the other one waits.
fn calls_beside_a_withdrawal() {
    let (services, [one, other, responder]) = services();
    offer(&responder);
    let callers = [one, other].map(|caller| {
        thread::spawn(move || {
            let Ok(made) = call(&caller) else {
                return false;
            };
            let outcome = outcome(&caller, made);
            let not_offered = CallOutcome::Unavailable(Unavailability::NotOffered);
            assert!(is_reply(&outcome) || outcome == not_offered, "{outcome:?}");
            is_reply(&outcome)
        })
    });
    let answered = withdraw(&responder);
    let replied = callers.map(|caller| caller.join().expect("it does not panic"));
    let replied = replied.into_iter().filter(|is_replied| *is_replied);
    assert_eq!(replied.count() as u64, answered);
    drop(responder);
    assert_over(&services);
}

#[test]
fn call_beside_a_withdrawal_is_answered_or_not_offered() {
    explore(calls_beside_a_withdrawal);
}

/// Looks for an event before it has itself woken, which is the wrong order.
fn poll_event_too_early(member: &Membership, cx: &mut Context<'_>) -> Poll<ServiceEvent> {
    let event = member.take();
    member.register(cx.waker());
    event.map_or(Poll::Pending, Poll::Ready)
}

#[test]
fn session_that_looks_before_registering_is_found_asleep() {
    expect_found("deadlock", || {
        let (_services, [caller, responder]) = services();
        offer(&responder);
        let responder = thread::spawn(move || {
            let event = poll_fn(|cx| poll_event_too_early(&responder, cx));
            if let ServiceEvent::Call(given) = future::block_on(event) {
                answer(&responder, given.call);
            }
            responder
        });
        let made = call(&caller).expect("it is offered");
        assert!(is_reply(&outcome(&caller, made)));
        drop(responder.join().expect("it does not panic"));
    });
}

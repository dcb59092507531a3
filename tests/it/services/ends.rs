//! Ends of sessions that have calls, or hold them.

use super::{call, expect, expect_failed, member, number, offer, reply, responder, take, withdraw};
use crate::support::{Fixture, ask};

#[test]
fn call_to_no_one_is_unavailable_at_once() {
    let fixture = Fixture::new();
    let mut ana = member(&fixture, "ana");
    ana.send(&call(1, "up", "a"));
    expect_failed(&mut ana, 1, "unavailable");
    drop(ana);
    fixture.finish();
}

#[test]
fn responder_that_breaks_leaves_its_calls_unavailable() {
    let fixture = Fixture::new();
    let mut rui = responder(&fixture, "rui", "up", 1);
    let mut eva = responder(&fixture, "eva", "up", 1);
    let mut ana = member(&fixture, "ana");
    for id in 1..=3 {
        ana.send(&call(id, "up", &id.to_string()));
    }
    assert_eq!(take(&mut rui).1, "1");
    let (second, _) = take(&mut eva);
    drop(rui);
    expect_failed(&mut ana, 1, "unavailable");
    reply(&mut eva, second, "x");
    assert_eq!(expect(&mut ana, "reply").num("id"), 2);
    assert_eq!(take(&mut eva).1, "3", "it was sent to no session before");
    drop(eva);
    expect_failed(&mut ana, 3, "unavailable");
    drop(ana);
    fixture.finish();
}

#[test]
fn withdrawal_is_answered_with_the_last_call_in_work() {
    let fixture = Fixture::new();
    let mut rui = responder(&fixture, "rui", "up", 2);
    let mut ana = member(&fixture, "ana");
    ana.send(&call(1, "up", "a"));
    let (first, _) = take(&mut rui);
    withdraw(&mut rui, 5, "up");
    rui.ping();
    ana.send(&call(2, "up", "b"));
    expect_failed(&mut ana, 2, "unavailable");
    reply(&mut rui, first, "x");
    let withdrawn = expect(&mut rui, "withdrawn");
    assert_eq!((withdrawn.num("id"), withdrawn.text("service")), (5, "up"));
    expect(&mut ana, "reply");
    withdraw(&mut rui, 6, "never offered");
    assert_eq!(expect(&mut rui, "withdrawn").num("id"), 6);
    drop((ana, rui));
    fixture.finish();
}

#[test]
fn second_offer_replaces_the_limit() {
    let fixture = Fixture::new();
    let mut rui = responder(&fixture, "rui", "up", 1);
    let mut ana = member(&fixture, "ana");
    for id in 1..=3 {
        ana.send(&call(id, "up", &id.to_string()));
    }
    take(&mut rui);
    rui.ping();
    offer(&mut rui, "up", 3);
    assert_eq!(take(&mut rui).1, "2");
    assert_eq!(take(&mut rui).1, "3");
    drop((ana, rui));
    fixture.finish();
}

#[test]
fn fim_of_a_responder_waits_for_its_calls_and_serves_answers_only() {
    let fixture = Fixture::new();
    let mut rui = responder(&fixture, "rui", "up", 2);
    let mut ana = member(&fixture, "ana");
    ana.send(&call(1, "up", "a"));
    let (first, _) = take(&mut rui);
    rui.send(&ask("fim", 2));
    rui.send(&ask("ping", 3));
    ana.send(&call(2, "up", "b"));
    expect_failed(&mut ana, 2, "unavailable");
    reply(&mut rui, first, "x");
    assert_eq!(expect(&mut ana, "reply").num("id"), 1);
    let closing = rui.skip_to("closing");
    assert_eq!(closing.text("reason"), "fim");
    assert_eq!(closing.num("accepted"), 1, "the ping has no answer");
    rui.expect_end();
    drop((ana, rui));
    fixture.finish();
}

#[test]
fn fim_of_a_caller_waits_for_its_calls() {
    let fixture = Fixture::new();
    let mut rui = responder(&fixture, "rui", "up", 2);
    let mut ana = member(&fixture, "ana");
    ana.send(&call(1, "up", "a"));
    ana.send(&ask("fim", 2));
    let (first, _) = take(&mut rui);
    reply(&mut rui, first, "x");
    assert_eq!(expect(&mut ana, "reply").num("id"), 1);
    assert_eq!(ana.skip_to("closing").text("reason"), "fim");
    ana.expect_end();
    drop((ana, rui));
    fixture.finish();
}

#[test]
fn caller_that_leaves_has_its_calls_cancelled() {
    let fixture = Fixture::new();
    let mut rui = responder(&fixture, "rui", "up", 2);
    let mut ana = member(&fixture, "ana");
    ana.send(&call(1, "up", "a").with("timeout", number(3_600_000)));
    let (first, _) = take(&mut rui);
    drop(ana);
    assert_eq!(expect(&mut rui, "cancelled").num("call"), first);
    drop(rui);
    fixture.finish();
}

#[test]
fn session_may_call_its_own_service() {
    let fixture = Fixture::new();
    let mut rui = responder(&fixture, "rui", "up", 2);
    rui.send(&call(3, "up", "a"));
    let (first, _) = take(&mut rui);
    reply(&mut rui, first, "x");
    let reply = expect(&mut rui, "reply");
    assert_eq!((reply.num("id"), reply.text("from")), (3, "rui"));
    rui.fim();
    drop(rui);
    fixture.finish();
}

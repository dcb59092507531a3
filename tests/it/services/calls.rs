//! A call and its answer.

use serde_cbor::Value;

use super::{call, expect, expect_failed, member, number, reply, responder, take};
use crate::support::{Fixture, Frame, bytes, text};

#[test]
fn reply_names_its_responder_and_carries_headers_both_ways() {
    let fixture = Fixture::new();
    let mut rui = responder(&fixture, "rui", "up", 4);
    let mut ana = member(&fixture, "ana");
    let headers = |value| Value::Map([(text("lang"), text(value))].into());
    let timeout = ("timeout", number(5000));
    let question = call(7, "up", "bom dia").with("headers", headers("pt"));
    ana.send(&question.with(timeout.0, timeout.1));
    let given = expect(&mut rui, "call");
    assert_eq!(given.text("service"), "up");
    assert_eq!(given.text("from"), "ana");
    assert_eq!(given.text("body"), "bom dia");
    assert_eq!(given.get("headers"), Some(&headers("pt")));
    assert!((1..=5000).contains(&given.num("remaining")), "{given:?}");
    let answer = [
        ("call", number(given.num("call"))),
        ("body", bytes(b"\x00\x01")),
    ];
    rui.send(&Frame::new("answer", answer).with("headers", headers("en")));
    let reply = expect(&mut ana, "reply");
    assert_eq!((reply.num("id"), reply.text("from")), (7, "rui"));
    assert_eq!(reply.get("body"), Some(&bytes(b"\x00\x01")));
    assert_eq!(reply.get("headers"), Some(&headers("en")));
    drop((ana, rui));
    fixture.finish();
}

#[test]
fn calls_go_to_the_session_with_the_fewest_in_turn() {
    let fixture = Fixture::new();
    let mut rui = responder(&fixture, "rui", "up", 2);
    let mut eva = responder(&fixture, "eva", "up", 1);
    let mut ana = member(&fixture, "ana");
    for id in 1..=4 {
        ana.send(&call(id, "up", &id.to_string()));
    }
    let (first, body) = take(&mut rui);
    assert_eq!(body, "1");
    let (second, body) = take(&mut eva);
    assert_eq!(body, "2");
    assert_eq!(take(&mut rui).1, "3");
    reply(&mut eva, second, "b");
    assert_eq!(
        expect(&mut ana, "reply").num("id"),
        2,
        "it overtakes the first"
    );
    assert_eq!(take(&mut eva).1, "4", "it has waited for a free session");
    reply(&mut rui, first, "a");
    assert_eq!(expect(&mut ana, "reply").num("id"), 1);
    drop((ana, rui, eva));
    fixture.finish();
}

#[test]
fn request_without_a_service_goes_to_the_handler() {
    let fixture = Fixture::new();
    let mut rui = responder(&fixture, "rui", "up", 2);
    let mut ana = member(&fixture, "ana");
    ana.request(1, "bom dia");
    let reply = expect(&mut ana, "reply");
    assert_eq!((reply.text("body"), reply.get("from")), ("BOM DIA", None));
    rui.ping();
    drop((ana, rui));
    fixture.finish();
}

#[test]
fn services_own_error_is_told_as_failed() {
    let fixture = Fixture::new();
    let mut rui = responder(&fixture, "rui", "print", 2);
    let mut ana = member(&fixture, "ana");
    ana.send(&call(1, "print", "page"));
    let (number_of_call, _) = take(&mut rui);
    let error = [
        (text("code"), text("no-paper")),
        (text("message"), text("the printer is empty")),
    ];
    let error = Value::Map(error.into());
    rui.send(&Frame::new(
        "answer",
        [("call", number(number_of_call)), ("error", error)],
    ));
    let message = expect_failed(&mut ana, 1, "failed");
    assert_eq!(message, "no-paper: the printer is empty");
    drop((ana, rui));
    fixture.finish();
}

#[test]
fn only_the_holders_first_answer_in_time_counts() {
    let fixture = Fixture::new();
    let mut rui = responder(&fixture, "rui", "up", 2);
    let mut eva = responder(&fixture, "eva", "down", 2);
    let mut ana = member(&fixture, "ana");
    ana.send(&call(1, "up", "a"));
    let (first, _) = take(&mut rui);
    reply(&mut eva, first, "not mine");
    reply(&mut eva, 99, "nobody's");
    eva.ping();
    reply(&mut rui, first, "mine");
    reply(&mut rui, first, "again");
    rui.ping();
    assert_eq!(expect(&mut ana, "reply").text("body"), "mine");

    ana.send(&call(2, "up", "b").with("timeout", number(50)));
    let (second, _) = take(&mut rui);
    expect_failed(&mut ana, 2, "timeout");
    assert_eq!(expect(&mut rui, "cancelled").num("call"), second);
    reply(&mut rui, second, "late");
    rui.ping();
    ana.ping();
    drop((ana, rui, eva));
    fixture.finish();
}

#[test]
fn answers_are_in_neither_count_of_closing() {
    let fixture = Fixture::new();
    let mut rui = responder(&fixture, "rui", "up", 2);
    let mut ana = member(&fixture, "ana");
    ana.send(&call(1, "up", "a"));
    let (first, _) = take(&mut rui);
    reply(&mut rui, first, "x");
    expect(&mut ana, "reply");
    assert_eq!(rui.fim().num("accepted"), 1, "the offer");
    assert_eq!(ana.fim().num("accepted"), 1);
    drop((ana, rui));
    fixture.finish();
}

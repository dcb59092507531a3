//! The feature `services` frame by frame: calls, offers, and what each end owes to both.

mod calls;
mod ends;
mod handlers;
mod limits;
mod lines;
mod rules;
mod stop;

use serde_cbor::Value;

use crate::support::{Fixture, Frame, FrameClient, PASSWORD, login, request, text};

/// Logs in without broadcasts.
fn member(fixture: &Fixture, user: &str) -> FrameClient {
    let mut client = fixture.unauthenticated();
    let filter = Value::Array(Vec::new());
    client.send(&login(0, user, PASSWORD).with("filter", filter));
    client.expect("logged_in");
    client
}

/// Logs in, and offers a service with this limit.
fn responder(fixture: &Fixture, user: &str, service: &str, limit: u64) -> FrameClient {
    let mut client = member(fixture, user);
    offer(&mut client, service, limit);
    client
}

fn offer(client: &mut FrameClient, service: &str, limit: u64) {
    let frame = Frame::new("offer", [("id", number(1)), ("service", text(service))]);
    client.send(&frame.with("limit", number(limit)));
    expect(client, "offered");
}

fn withdraw(client: &mut FrameClient, id: u64, service: &str) {
    client.send(&Frame::new(
        "withdraw",
        [("id", number(id)), ("service", text(service))],
    ));
}

fn number(number: u64) -> Value {
    Value::Integer(number.into())
}

/// Makes a call.
fn call(id: u64, service: &str, body: &str) -> Frame {
    request(id, text(body)).with("service", text(service))
}

/// Takes the next call, and returns its number and its body.
#[track_caller]
fn take(client: &mut FrameClient) -> (u64, String) {
    let call = expect(client, "call");
    (call.num("call"), call.text("body").to_owned())
}

fn reply(client: &mut FrameClient, call: u64, body: &str) {
    client.send(&Frame::new(
        "answer",
        [("call", number(call)), ("body", text(body))],
    ));
}

/// Asserts that the next frame is the error with this id and code, and returns its text.
#[track_caller]
fn expect_failed(client: &mut FrameClient, id: u64, code: &str) -> String {
    let error = expect(client, "error");
    assert_eq!(error.text("code"), code, "{error:?}");
    assert_eq!(error.num("id"), id, "{error:?}");
    error.text("message").to_owned()
}

/// Returns the next frame behind any `passed`, and asserts its name.
#[track_caller]
fn expect(client: &mut FrameClient, name: &str) -> Frame {
    loop {
        let frame = client.recv().expect("the session goes on");
        if !frame.is("passed") {
            assert!(frame.is(name), "{frame:?} instead of {name}");
            return frame;
        }
    }
}

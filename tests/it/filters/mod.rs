//! The feature `topics` frame by frame: filters, kept values, direct messages and rules.

mod direct;
mod hearing;
mod kept;
mod refusals;
mod rules;

use serde_cbor::Value;

use crate::support::{Fixture, Frame, FrameClient, PASSWORD, ask, login, publish, text};

fn texts(items: &[&str]) -> Value {
    Value::Array(items.iter().map(|item| text(item)).collect())
}

/// Makes a message with a topic.
fn post(id: u64, topic: &str, body: &str) -> Frame {
    publish(id, text(body)).with("topic", text(topic))
}

/// Makes a message that becomes its topic's kept value.
fn keep(id: u64, topic: &str, body: &str) -> Frame {
    post(id, topic, body).with("keep", Value::Bool(true))
}

/// Logs in with a filter, and returns the session and the answer.
fn listening(fixture: &Fixture, user: &str, filter: &[&str]) -> (FrameClient, Frame) {
    let mut client = fixture.unauthenticated();
    client.send(&login(1, user, PASSWORD).with("filter", texts(filter)));
    let answer = client.expect("logged_in");
    (client, answer)
}

/// Publishes, and returns the seq.
#[track_caller]
fn published(client: &mut FrameClient, frame: &Frame) -> u64 {
    client.send(frame);
    loop {
        let answer = client.recv().expect("the session goes on");
        assert!(!answer.is("error"), "{answer:?}");
        if answer.is("published") {
            return answer.num("seq");
        }
    }
}

/// Sends a frame that is refused with this code, and returns the error's text.
#[track_caller]
fn refused(client: &mut FrameClient, frame: &Frame, code: &str) -> String {
    client.send_bytes(&frame.bytes());
    loop {
        let answer = client.recv().expect("the session goes on");
        assert!(!answer.is("published"), "{answer:?}");
        if answer.is("error") {
            assert_eq!(answer.text("code"), code, "{answer:?}");
            return answer.text("message").to_owned();
        }
    }
}

/// Changes the filter, and returns the answer.
fn subscribe(client: &mut FrameClient, add: &[&str], remove: &[&str]) -> Frame {
    let frame = ask("subscribe", 9);
    let frame = frame.with("add", texts(add)).with("remove", texts(remove));
    client.send(&frame);
    client.skip_to("subscribed")
}

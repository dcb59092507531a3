//! The feature `producer`: a message is published once, however often it is sent.

mod accounts;
mod client;
#[cfg(unix)] // kills, and signals to commands
mod command;
#[cfg(unix)] // kills
mod crash;
#[cfg(unix)] // a disk of its own
mod failure;
mod limits;
mod once;
mod restart;
mod stop;

use serde_cbor::Value;

use crate::support::{Frame, FrameClient, publish, text};

/// Makes a message that the producer `producer` has given this number. Its id is the number.
fn numbered(producer: &str, n: u64, body: &str) -> Frame {
    let frame = publish(n, text(body));
    let frame = frame.with("producer", text(producer));
    frame.with("n", Value::Integer(n.into()))
}

/// Returns the next answer to a publish.
fn answer(client: &mut FrameClient) -> Frame {
    loop {
        let frame = client.recv().expect("the session goes on");
        if frame.is("published") || frame.is("error") {
            return frame;
        }
    }
}

/// Sends a numbered message, and returns its answer.
fn send(client: &mut FrameClient, producer: &str, n: u64) -> Frame {
    client.send(&numbered(producer, n, &format!("{producer} {n}")));
    let answer = answer(client);
    assert_eq!(answer.num("id"), n);
    answer
}

/// Sends a numbered message that is published, and returns its seq.
#[track_caller]
fn expect_published(client: &mut FrameClient, producer: &str, n: u64) -> u64 {
    let answer = send(client, producer, n);
    assert!(answer.is("published"), "{answer:?}");
    assert!(answer.get("repeated").is_none(), "{answer:?}");
    answer.num("seq")
}

/// Sends a numbered message that was published before, and returns its seq.
#[track_caller]
fn expect_repeated(client: &mut FrameClient, producer: &str, n: u64) -> u64 {
    let answer = send(client, producer, n);
    assert!(
        answer.is("published") && answer.flag("repeated"),
        "{answer:?}"
    );
    answer.num("seq")
}

/// Sends a numbered message that is refused with this code, and returns the error's text.
#[track_caller]
fn expect_refused(client: &mut FrameClient, producer: &str, n: u64, code: &str) -> String {
    let answer = send(client, producer, n);
    assert!(answer.is("error"), "{answer:?}");
    assert_eq!(answer.text("code"), code, "{answer:?}");
    answer.text("message").to_owned()
}

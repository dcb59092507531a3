//! Kept values.

use serde_cbor::Value;

use super::{keep, listening, post, published, refused, texts};
use crate::support::{Fixture, Frame, FrameClient, PASSWORD, ask, login};

fn topics(frames: &[Frame]) -> Vec<(String, String)> {
    let kept = frames.iter().filter(|frame| frame.is("kept"));
    kept.map(|frame| (frame.text("topic").into(), frame.text("body").into()))
        .collect()
}

fn pair(topic: &str, body: &str) -> (String, String) {
    (topic.to_owned(), body.to_owned())
}

/// Logs in with `kept`, and returns the session and the kept values.
fn with_kept(
    fixture: &Fixture,
    user: &str,
    filter: Option<&[&str]>,
) -> (FrameClient, Vec<(String, String)>) {
    let mut client = fixture.unauthenticated();
    let frame = login(1, user, PASSWORD).with("kept", Value::Bool(true));
    client.send(&match filter {
        Some(filter) => frame.with("filter", texts(filter)),
        None => frame,
    });
    client.expect("logged_in");
    client.ask("ping", 2);
    let frames = client.until("pong");
    (client, topics(&frames))
}

#[test]
fn login_gets_the_values_that_its_filter_matches() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    for (topic, body) in [("a/x", "1"), ("a/y", "2"), ("b", "3"), ("a/x", "4")] {
        published(&mut ana, &keep(1, topic, body));
    }
    published(&mut ana, &post(2, "a/x", "not kept"));
    let (mut rui, kept) = with_kept(&fixture, "rui", Some(&["a/#"]));
    assert_eq!(kept, [pair("a/x", "4"), pair("a/y", "2")]);
    let (_all, kept) = with_kept(&fixture, "eva", None);
    assert_eq!(kept.len(), 3);
    // An empty text removes the value, and is a message like others.
    let seq = published(&mut ana, &keep(3, "a/y", ""));
    let removal = rui.skip_to("message");
    assert_eq!((removal.num("seq"), removal.flag("keep")), (seq, true));
    let (_rui, kept) = with_kept(&fixture, "rui", Some(&["a/#"]));
    assert_eq!(kept, [pair("a/x", "4")]);
    fixture.finish();
}

#[test]
fn subscribe_with_kept_gets_the_values_of_the_added_patterns() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    for topic in ["a", "b", "c"] {
        published(&mut ana, &keep(1, topic, topic));
    }
    let (mut rui, _) = listening(&fixture, "rui", &["a"]);
    let frame = ask("subscribe", 2).with("add", texts(&["b", "a"]));
    rui.send(&frame.with("kept", Value::Bool(true)));
    rui.ask("ping", 3);
    let frames = rui.until("pong");
    let expected = [pair("a", "a"), pair("b", "b")];
    assert_eq!(topics(&frames), expected, "also those that it had before");
    drop((ana, rui));
    fixture.finish();
}

#[test]
fn value_above_a_limit_is_too_many_within_one_run_too() {
    let fixture = Fixture::with(|config| {
        config.limits.kept_topics = 2;
        config.limits.kept_bytes = 4096;
    });
    let mut ana = fixture.client("ana");
    // Sent at once, so that the hub judges them together.
    let run: Vec<u8> = (1..=5)
        .flat_map(|id| keep(id, &format!("t{id}"), "x").bytes())
        .collect();
    ana.send_bytes(&run);
    let mut answers = Vec::new();
    while answers.len() < 5 {
        let frame = ana.recv().expect("the session goes on");
        match frame.is("error") {
            true => answers.push((frame.num("id"), frame.text("code").to_owned())),
            false if frame.is("published") => answers.push((frame.num("id"), String::new())),
            false => {}
        }
    }
    let too_many = |id| (id, "too-many".to_owned());
    let done = |id| (id, String::new());
    let expected = [done(1), done(2), too_many(3), too_many(4), too_many(5)];
    assert_eq!(answers, expected);
    let text = refused(&mut ana, &keep(6, "t1", &"x".repeat(5000)), "too-many");
    assert!(text.contains("4096"), "{text}");
    published(&mut ana, &keep(7, "t1", ""));
    published(&mut ana, &keep(8, "t9", "in its place"));
    drop(ana);
    fixture.finish();
}

#[test]
fn many_values_are_sent_in_steps_to_a_client_that_reads_slowly() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let body = "x".repeat(500);
    for first in (0..6_000).step_by(1_000) {
        let run = first..first + 1_000;
        let run: Vec<u8> = run
            .flat_map(|number| keep(number, &format!("t/{number}"), &body).bytes())
            .collect();
        ana.send_bytes(&run);
        for _ in 0..1_000 {
            ana.skip_to("published");
        }
    }
    let mut rui = fixture.unauthenticated();
    let frame = login(1, "rui", PASSWORD).with("kept", Value::Bool(true));
    rui.send(&frame.with("filter", texts(&["t/+", "t/7"])));
    rui.ask("ping", 2);
    let frames = rui.until("pong");
    assert_eq!(topics(&frames).len(), 6_000, "each once, before the pong");
    // Steps that find nothing go on, too.
    let (_eva, kept) = with_kept(&fixture, "eva", Some(&["+/none", "t/5999"]));
    assert_eq!(kept.len(), 1);
    drop((ana, rui));
    fixture.finish();
}

//! Publishes with a producer's number.

use std::time::Duration;

use crate::actors::hub::{NotPublished, Verdict};
use crate::actors::session::core::Served;
use crate::actors::session::core::effects::Done;
use crate::actors::session::core::testing::{Effect, Run, numbered, ping, publish};
use crate::rate::Rate;
use crate::wire::{Body, ClientFrame, ErrorCode, Publish, PublishOptions, Role, Seq};

/// A run of numbered publishes, whose bodies are of this length, as CBOR items.
fn run_of(frames: usize, bytes: usize) -> Effect {
    Effect::PublishJudged("ana".to_owned(), frames, bytes)
}

#[test]
fn numbered_publishes_are_answered_with_their_verdicts() {
    let mut run = Run::member();
    let served = run.frames((2..=4).map(|id| numbered(id, id)));
    assert_eq!(served, [Served::Gathered; 3]);
    assert_eq!(run.effects(), [run_of(3, 24)]);
    let verdicts = vec![
        Verdict::Repeated(Seq(5)),
        Verdict::Published(Seq(9)),
        Verdict::OutOfOrder { highest: 3 },
    ];
    run.done(Done::Judged(Ok(verdicts)));
    let expected = [
        "published 2 at 5, repeated",
        "published 3 at 9",
        "error 4 out-of-order",
    ];
    assert_eq!(run.answers(), expected);
    assert_eq!((run.record().accepted, run.record().answered), (3, 3));
}

#[test]
fn direct_numbered_publish_is_answered_in_the_same_pass() {
    let mut run = Run::member();
    run.out.judged = Some(Ok(vec![Verdict::Repeated(Seq::ZERO)]));
    run.frame(numbered(2, 1));
    assert_eq!(run.answers(), ["published 2 at 0, repeated"]);
    assert_eq!(run.effects(), [Effect::JudgeNow("ana".to_owned(), 8)]);
    assert!(!run.core.has_work());
    run.out.judged = Some(Err(NotPublished::Sealed));
    run.frame(numbered(3, 2));
    assert_eq!(run.answers(), ["error 3 stopping"]);
    let record = run.record();
    let counts = (record.accepted, record.answered, record.refused);
    assert_eq!(counts, (1, 1, 1));
}

#[test]
fn repeated_publish_is_answered_before_role_and_length_are_judged() {
    let mut run = Run::member_with(|beginning| beginning.limits.max_frame = 1024);
    run.out.account_role = Role::Leitor;
    run.frames([numbered(2, 1), numbered(3, 2)]);
    assert_eq!(run.effects(), [run_of(2, 0)], "no body is given to the hub");
    let verdicts = vec![Verdict::Repeated(Seq(5)), Verdict::Refused];
    run.done(Done::Judged(Ok(verdicts)));
    let expected = ["published 2 at 5, repeated", "error 3 forbidden"];
    assert_eq!(run.answers(), expected);
    run.out.account_role = Role::Escritor;
    let mut long = Publish::new(4, Body::from("x".repeat(1024)));
    long.options = Some(Box::new(PublishOptions {
        producer: Some("p".into()),
        n: Some(3),
        ..PublishOptions::default()
    }));
    run.clear().frame(ClientFrame::Publish(long));
    assert_eq!(run.effects(), [run_of(1, 0)]);
    run.done(Done::Judged(Ok(vec![Verdict::Refused])));
    assert_eq!(run.answers(), ["error 4 frame-too-large"]);
}

#[test]
fn throttling_comes_before_the_number_is_judged() {
    let mut run = Run::member_with(|beginning| {
        beginning.limits.request_rate = Some(Rate::per_seconds(1, 30));
    });
    let served = run.frames([numbered(2, 1), numbered(3, 1)]);
    assert_eq!(served, [Served::Gathered, Served::Later]);
    run.done(Done::Judged(Ok(vec![Verdict::Published(Seq(1))])));
    run.frame(numbered(3, 1));
    run.frame(numbered(4, 0));
    let expected = ["published 2 at 1", "error 3 throttled", "error 4 throttled"];
    assert_eq!(run.answers(), expected);
    run.pass(Duration::from_secs(30));
    run.frame(numbered(4, 0));
    assert_eq!(run.answers(), ["error 4 bad-value"]);
}

#[test]
fn number_out_of_its_range_is_refused_behind_the_run() {
    let mut run = Run::member();
    let served = run.frames([numbered(2, 1), numbered(3, 0)]);
    assert_eq!(served, [Served::Gathered, Served::Later]);
    run.done(Done::Judged(Ok(vec![Verdict::Published(Seq(1))])));
    assert_eq!(run.frame(numbered(3, 0)), Served::Done);
    let expected = ["published 2 at 1", "error 3 bad-value"];
    assert_eq!(run.answers(), expected);
    assert_eq!((run.record().accepted, run.record().answered), (2, 2));
}

#[test]
fn publishes_with_and_without_numbers_do_not_share_a_run() {
    let mut run = Run::member_with(|beginning| beginning.is_journaled = true);
    let served = run.frames([publish(2), numbered(3, 1)]);
    assert_eq!(served, [Served::Gathered, Served::Later]);
    let served = run.frames([numbered(3, 1), publish(4)]);
    assert_eq!(served, [Served::Gathered, Served::Later]);
    run.frame(publish(4));
    assert_eq!(run.frame(ping(5)), Served::Later);
    run.done(Done::Published(Ok(Seq(1))));
    run.done(Done::Judged(Ok(vec![Verdict::Published(Seq(2))])));
    run.done(Done::Published(Ok(Seq(3))));
    let expected = ["published 2 at 1", "published 3 at 2", "published 4 at 3"];
    assert_eq!(run.answers(), expected);
}

#[test]
fn numbered_run_that_is_not_published_is_refused_frame_by_frame() {
    for (why, code, accepted, refused) in [
        (NotPublished::Sealed, ErrorCode::Stopping, 0, 2),
        (NotPublished::Unwritten, ErrorCode::Internal, 2, 0),
    ] {
        let mut run = Run::member();
        run.frames([numbered(2, 1), numbered(3, 2)]);
        run.done(Done::Judged(Err(why)));
        let expected = [2, 3].map(|id| format!("error {id} {code}"));
        assert_eq!(run.answers(), expected);
        let record = run.record();
        let counts = (record.accepted, record.answered, record.refused);
        assert_eq!(counts, (accepted, accepted, refused), "{code}");
    }
}

//! Publishes and their runs.

use std::sync::Arc;
use std::time::Duration;

use crate::actors::hub::NotPublished;
use crate::actors::session::core::Served;
use crate::actors::session::core::effects::Done;
use crate::actors::session::core::policy::Policy;
use crate::actors::session::core::testing::{Effect, Run, ping, publish};
use crate::rate::Rate;
use crate::topic::{Effect as RuleEffect, Permissions, Rule, RuleKind, RuleSet};
use crate::wire::{Role, Seq};

fn run_of(frames: usize) -> Effect {
    Effect::Publish("ana".to_owned(), frames)
}

#[test]
fn publishes_of_one_pass_go_to_the_hub_in_one_run() {
    let mut run = Run::member();
    let served = run.frames([publish(2), publish(3), publish(4)]);
    assert_eq!(served, [Served::Gathered; 3]);
    assert_eq!(run.effects(), [run_of(3)]);
    run.done(Done::Published(Ok(Seq(8))));
    let expected = ["published 2 at 8", "published 3 at 9", "published 4 at 10"];
    assert_eq!(run.answers(), expected);
    assert_eq!((run.record().accepted, run.record().answered), (3, 3));
}

#[test]
fn direct_publishes_are_answered_in_the_same_pass() {
    let mut run = Run::member();
    run.out.published = Some(Ok(Seq(8)));
    run.frames([publish(2), publish(3)]);
    assert_eq!(run.answers(), ["published 2 at 8", "published 3 at 9"]);
    assert_eq!(run.effects(), [Effect::PublishNow("ana".to_owned(), 16)]);
    assert!(!run.core.has_work());
    assert_eq!((run.record().accepted, run.record().answered), (2, 2));
    run.out.published = Some(Err(NotPublished::Sealed));
    run.frame(publish(4));
    assert_eq!(run.answers(), ["error 4 stopping"]);
    let record = run.record();
    assert_eq!(
        (record.accepted, record.answered, record.refused),
        (2, 2, 1)
    );
}

#[test]
fn publish_behind_work_is_not_direct() {
    let mut run = Run::member_with(|beginning| beginning.is_journaled = true);
    run.frame(publish(2));
    run.out.published = Some(Ok(Seq(8)));
    run.clear().frame(publish(3));
    assert_eq!(run.effects(), [run_of(1)], "not direct");
}

#[test]
fn publish_without_the_role_is_refused_behind_the_run() {
    let mut run = Run::member();
    run.out.account_role = Role::Leitor;
    assert_eq!(run.frame(publish(2)), Served::Done);
    assert_eq!(run.answers(), ["error 2 forbidden"]);
    assert_eq!(run.effects(), []);
    assert_eq!((run.record().accepted, run.record().answered), (1, 1));
}

/// Rules for publishing, each `+` to allow or `-` to deny, and a pattern.
fn rules(texts: &[&str]) -> Option<Arc<Permissions>> {
    let mut own = RuleSet::default();
    for text in texts {
        let (effect, pattern) = text.split_at(1);
        own.add(&Rule {
            kind: RuleKind::Publish,
            pattern: pattern.parse().expect("the text is a pattern"),
            effect: match effect {
                "+" => RuleEffect::Allow,
                _ => RuleEffect::Deny,
            },
        });
    }
    let permissions = Permissions::new("ana", Arc::default(), Arc::new(own));
    Some(Arc::new(permissions))
}

#[test]
fn publish_that_a_rule_denies_is_forbidden_and_the_session_goes_on() {
    let mut run = Run::member();
    run.out.account_role = Role::Admin;
    run.out.permissions = rules(&["-#"]);
    assert_eq!(run.frames([publish(2), ping(3)]), [Served::Done; 2]);
    assert_eq!(run.answers(), ["error 2 forbidden", "pong 3"]);
    assert_eq!(run.effects(), []);
    assert_eq!((run.record().accepted, run.record().answered), (2, 2));
}

#[test]
fn rules_for_topics_only_do_not_match_a_publish_without_one() {
    let mut run = Run::member();
    run.out.permissions = rules(&["-+/#", "-a/#"]);
    assert_eq!(run.frame(publish(2)), Served::Gathered);
    run.done(Done::Published(Ok(Seq(1)))).clear();
    run.out.permissions = rules(&["+a/#"]);
    assert_eq!(
        run.frame(publish(3)),
        Served::Done,
        "an allow rule must match"
    );
    assert_eq!(run.answers(), ["error 3 forbidden"]);
}

#[test]
fn allow_rule_lets_a_leitor_publish() {
    let mut run = Run::member();
    run.out.account_role = Role::Leitor;
    run.out.permissions = rules(&["+#"]);
    assert_eq!(run.frame(publish(2)), Served::Gathered);
    assert_eq!(run.effects(), [run_of(1)]);
}

#[test]
fn changed_rule_counts_at_the_next_publish() {
    let mut run = Run::member();
    assert_eq!(run.frame(publish(2)), Served::Gathered);
    run.done(Done::Published(Ok(Seq(1)))).clear();
    run.out.permissions = rules(&["-#"]);
    assert_eq!(run.frame(publish(3)), Served::Done);
    run.out.permissions = None;
    assert_eq!(run.frame(publish(4)), Served::Gathered);
    assert_eq!(run.answers(), ["error 3 forbidden"]);
}

#[test]
fn denied_publish_waits_for_the_run_and_does_not_end_it() {
    let mut run = Run::member();
    assert_eq!(run.frame(publish(2)), Served::Gathered);
    run.out.permissions = rules(&["-#"]);
    assert_eq!(run.frame(publish(3)), Served::Later);
    run.done(Done::Published(Ok(Seq(1))));
    run.frame(publish(3));
    assert_eq!(run.answers(), ["published 2 at 1", "error 3 forbidden"]);
}

#[test]
fn rules_for_all_let_no_client_without_an_account_publish() {
    let mut run = Run::with(|beginning| beginning.policy = Policy::RawDuplex);
    run.clear();
    run.out.permissions = rules(&["+#"]);
    assert_eq!(run.frame(publish(2)), Served::Done);
    assert_eq!(run.answers(), ["error 2 forbidden"]);
}

#[test]
fn publish_with_too_long_a_body_waits_for_the_run_and_is_refused() {
    let mut run = Run::member_with(|beginning| beginning.limits.max_frame = 1024);
    run.frame(publish(2));
    let long = || {
        let body = "x".repeat(1024).into();
        crate::wire::ClientFrame::Publish(crate::wire::Publish::new(3, body))
    };
    run.done(Done::Published(Ok(Seq(1))));
    assert_eq!(
        run.frames([publish(4), long()]),
        [Served::Gathered, Served::Later]
    );
    run.done(Done::Published(Ok(Seq(2))));
    run.frame(long());
    let expected = [
        "published 2 at 1",
        "published 4 at 2",
        "error 3 frame-too-large",
    ];
    assert_eq!(run.answers(), expected);
}

#[test]
fn run_takes_no_more_frames_than_may_be_in_work() {
    let mut run = Run::member_with(|beginning| beginning.limits.frames_in_work = 2);
    let served = run.frames((2..=4).map(publish));
    assert_eq!(served, [Served::Gathered, Served::Gathered, Served::Later]);
    assert_eq!(run.effects(), [run_of(2)]);
}

#[test]
fn publish_that_readers_hold_back_is_tried_again_later() {
    let mut run = Run::member();
    run.out.publish_wait = Some(Duration::from_millis(50));
    assert_eq!(run.frame(publish(2)), Served::Later);
    assert_eq!(run.sleep(), Some(Duration::from_millis(50)));
    assert!(!run.core.wants_input());
    run.out.publish_wait = None;
    assert!(run.pass(Duration::from_millis(50)));
    assert_eq!(run.frame(publish(2)), Served::Gathered);
    assert_eq!(run.effects(), [run_of(1)]);
}

#[test]
fn frame_behind_a_gathered_publish_waits_for_its_answer() {
    let mut run = Run::member();
    assert_eq!(
        run.frames([publish(2), ping(3)]),
        [Served::Gathered, Served::Later]
    );
    assert_eq!(run.effects(), [run_of(1)], "the run is sent all the same");
    assert_eq!(run.answers(), [""; 0]);
}

#[test]
fn run_that_the_hub_does_not_publish_is_refused_frame_by_frame() {
    for (why, code, accepted, refused) in [
        (NotPublished::Sealed, "stopping", 0, 2),
        (NotPublished::Unwritten, "internal", 2, 0),
    ] {
        let mut run = Run::member();
        run.frames([publish(2), publish(3)]);
        run.done(Done::Published(Err(why)));
        let expected = [2, 3].map(|id| format!("error {id} {code}"));
        assert_eq!(run.answers(), expected);
        let record = run.record();
        let counts = (record.accepted, record.answered, record.refused);
        assert_eq!(counts, (accepted, accepted, refused), "{code}");
    }
}

#[test]
fn publish_over_the_rate_is_answered_throttled_behind_its_run() {
    let mut run = Run::member_with(|beginning| {
        beginning.limits.request_rate = Some(Rate::per_seconds(1, 60));
    });
    let served = run.frames([publish(2), publish(3)]);
    assert_eq!(served, [Served::Gathered, Served::Later]);
    run.done(Done::Published(Ok(Seq(1))));
    run.frame(publish(3));
    assert_eq!(run.answers(), ["published 2 at 1", "error 3 throttled"]);
}

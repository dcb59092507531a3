//! The order of answers while several runs of publishes are under way.

use crate::actors::session::core::Served;
use crate::actors::session::core::effects::Done;
use crate::actors::session::core::testing::{Effect, Run, ping, publish};
use crate::wire::Seq;

#[test]
fn runs_in_work_are_answered_in_their_order() {
    let mut run = Run::member_with(|beginning| beginning.is_journaled = true);
    run.frames([publish(2), publish(3)]);
    assert_eq!(run.frame(publish(4)), Served::Gathered);
    let run_of = |frames| Effect::Publish("ana".to_owned(), frames);
    assert_eq!(run.effects(), [run_of(2), run_of(1)]);
    run.done(Done::Published(Ok(Seq(1))));
    run.done(Done::Published(Ok(Seq(3))));
    let expected = ["published 2 at 1", "published 3 at 2", "published 4 at 3"];
    assert_eq!(run.answers(), expected);
}

#[test]
fn ping_behind_runs_in_work_is_answered_before_a_further_run_begins() {
    let mut run = Run::member_with(|beginning| beginning.is_journaled = true);
    run.frame(publish(2));
    assert_eq!(run.frame(ping(3)), Served::Later);
    assert!(!run.takes_frames(), "the ping has to be first");
    run.done(Done::Published(Ok(Seq(1))));
    run.frames([ping(3), publish(4)]);
    run.done(Done::Published(Ok(Seq(2))));
    let expected = ["published 2 at 1", "pong 3", "published 4 at 2"];
    assert_eq!(run.answers(), expected);
}

#[test]
fn work_without_a_journal_lets_no_further_run_begin() {
    let mut run = Run::member();
    run.frame(publish(2));
    assert!(!run.takes_frames());
    run.done(Done::Published(Ok(Seq(1))));
    assert!(run.takes_frames());
}

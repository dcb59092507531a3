//! Frames and their answers.

use std::time::Duration;

use crate::actors::handler::HandlerError;
use crate::actors::session::core::Served;
use crate::actors::session::core::effects::{Ask, Done};
use crate::actors::session::core::testing::{
    Effect, Run, ack, fim, login, ping, publish, request, sessions, shutdown, status, topics,
    unserved, user, who,
};
use crate::close::Phase;
use crate::rate::Rate;
use crate::wire::{ErrorCode, Role, Seq, WireError};

fn bad_input() -> WireError {
    WireError {
        code: ErrorCode::BadFrame,
        message: "no frame".to_owned(),
    }
}

#[test]
fn frame_behind_work_waits_until_that_is_answered() {
    let mut run = Run::member();
    assert_eq!(
        run.frames([request(2), ping(3)]),
        [Served::Done, Served::Later]
    );
    assert_eq!(run.answers(), [""; 0]);
    run.done(Done::Replied(Ok("sim".into())));
    assert_eq!(run.frame(ping(3)), Served::Done);
    assert_eq!(run.answers(), ["reply 2", "pong 3"]);
}

#[test]
fn request_is_answered_with_what_the_handler_says() {
    let outcomes = [
        (Ok("sim".into()), "reply 2"),
        (Err(HandlerError::NotText), "error 2 not-text"),
        (
            Err(HandlerError::Forbidden(String::new())),
            "error 2 forbidden",
        ),
        (
            Err(HandlerError::Internal(String::new())),
            "error 2 internal",
        ),
        (
            Err(HandlerError::Throttled {
                message: String::new(),
                retry_after: Duration::from_secs(1),
            }),
            "error 2 throttled",
        ),
    ];
    for (outcome, expected) in outcomes {
        let mut run = Run::member();
        run.out.reply = Some(outcome.clone());
        assert_eq!(run.frame(request(2)), Served::Done);
        assert_eq!(run.answers(), [expected], "at once");
        run.out.reply = None;
        run.frame(request(2));
        assert_eq!(run.answers(), [""; 0]);
        run.done(Done::Replied(outcome));
        assert_eq!(run.answers(), [expected], "later");
        assert_eq!((run.record().accepted, run.record().answered), (2, 2));
        let asked = Effect::Request("ana".to_owned());
        assert_eq!(run.effects(), [asked.clone(), asked]);
    }
}

#[test]
fn who_is_answered_with_the_present_users() {
    let mut run = Run::member();
    run.frame(who(2));
    assert_eq!(run.effects(), [Effect::Ask(Ask::Users)]);
    run.done(Done::Users(vec![user()]));
    assert_eq!(run.answers(), ["present 2 ana"]);
}

#[test]
fn answer_longer_than_a_frame_is_refused() {
    let results = [
        (who(2), Done::Users(vec![user()])),
        (sessions(2), Done::Sessions(Vec::new())),
        (request(2), Done::Replied(Ok("sim".into()))),
    ];
    for (frame, done) in results {
        let mut run = Run::member();
        run.out.account_role = Role::Admin;
        run.frame(frame);
        run.out.is_too_long = true;
        run.done(done);
        assert_eq!(run.answers(), ["error 2 frame-too-large"]);
    }
}

#[test]
fn list_of_sessions_and_shutdown_are_for_admins() {
    for (role, is_own_user, may) in [
        (Role::Escritor, false, false),
        (Role::Escritor, true, true),
        (Role::Admin, false, true),
    ] {
        for (frame, ask) in [
            (sessions(2), Ask::Sessions),
            (shutdown(2, true), Ask::Stop { now: true }),
        ] {
            let mut run = Run::member();
            run.out.account_role = role;
            run.out.is_own_user = is_own_user;
            run.frame(frame);
            let is_asked = run.effects().contains(&Effect::Ask(ask));
            assert_eq!(is_asked, may, "{role:?} {ask:?}");
            let refusal: &[&str] = if may { &[] } else { &["error 2 forbidden"] };
            assert_eq!(run.answers(), refusal);
        }
    }
}

#[test]
fn list_of_topics_is_for_admins() {
    for (role, is_own_user, answer) in [
        (Role::Escritor, false, "error 2 forbidden"),
        (Role::Escritor, true, "topics 2 of 0"),
        (Role::Admin, false, "topics 2 of 0"),
    ] {
        let mut run = Run::member();
        run.out.account_role = role;
        run.out.is_own_user = is_own_user;
        run.frames([topics(2, Some("a/+")), topics(3, Some("a/#/b"))]);
        let second = match answer {
            "error 2 forbidden" => "error 3 forbidden",
            _ => "error 3 bad-topic",
        };
        assert_eq!(run.answers(), [answer, second], "{role:?} {is_own_user}");
        assert_eq!(run.record().answered, 2);
    }
}

#[test]
fn second_login_and_unserved_frames_are_refused() {
    let mut run = Run::member();
    run.frames([login(2), unserved(3, true), unserved(4, false)]);
    let expected = [
        "error 2 already-logged-in",
        "error 3 unsupported",
        "error 4 unsupported",
    ];
    assert_eq!(run.answers(), expected);
    assert_eq!(run.record().accepted, 1, "logins are not counted");
}

#[test]
fn ack_counts_up_to_what_was_sent_and_never_goes_back() {
    let mut run = Run::member();
    run.out.head = Seq(5);
    run.out.write_all();
    for (seq, acked) in [(3, 3), (2, 3), (6, 3), (5, 5)] {
        assert_eq!(run.frame(ack(seq)), Served::Done);
        assert_eq!(run.record().acked, Seq(acked));
    }
    assert_eq!((run.answers().len(), run.record().accepted), (0, 0));
}

#[test]
fn ack_behind_publishes_in_work_does_not_wait() {
    let mut run = Run::member_with(|beginning| beginning.is_journaled = true);
    run.out.head = Seq(5);
    run.out.write_all();
    run.frame(publish(2));
    assert_eq!(run.frame(ack(5)), Served::Done);
    assert_eq!(run.record().acked, Seq(5));
}

#[test]
fn actor_that_is_gone_is_told_for_each_frame() {
    let mut run = Run::member();
    run.frames([publish(2), publish(3)]);
    run.done(Done::Gone);
    assert_eq!(run.answers(), ["error 2 internal", "error 3 internal"]);
    assert_eq!((run.record().accepted, run.record().answered), (2, 2));
}

#[test]
fn result_without_work_changes_nothing() {
    let mut run = Run::member();
    let before = run.core.clone();
    run.done(Done::Replied(Ok("sim".into())));
    assert_eq!(run.core, before);
    assert_eq!(run.answers(), [""; 0]);
}

#[test]
fn bad_input_ends_the_session_once_work_is_answered() {
    let mut run = Run::member();
    run.frame(request(2));
    assert!(!run.core.bad_input(&bad_input(), &mut run.out));
    run.done(Done::Replied(Ok("sim".into())));
    assert!(run.core.bad_input(&bad_input(), &mut run.out));
    run.advance();
    let expected = [
        "reply 2",
        "error - bad-frame",
        "closing bad-frame at 0, 1 accepted, 0 refused",
    ];
    assert_eq!(run.answers(), expected);
    assert!(run.core.bad_input(&bad_input(), &mut run.out));
    assert_eq!(run.answers(), [""; 0], "nothing follows closing");
}

#[test]
fn request_over_the_rate_is_answered_throttled() {
    let mut run = Run::member_with(|beginning| {
        beginning.limits.request_rate = Some(Rate::per_seconds(2, 2));
    });
    run.out.reply = Some(Ok("sim".into()));
    run.frames((2..=5).map(request));
    let throttled = ["error 4 throttled", "error 5 throttled"];
    assert_eq!(
        run.answers(),
        [&["reply 2", "reply 3"][..], &throttled].concat()
    );
    run.frames([ping(6), ack(0), unserved(7, false)]);
    assert_eq!(run.answers(), ["pong 6", "error 7 throttled"]);
    run.now += Duration::from_secs(1);
    run.frame(request(8));
    assert_eq!(run.answers(), ["reply 8"]);
}

#[test]
fn throttled_login_of_a_member_is_not_counted() {
    let mut run = Run::member_with(|beginning| {
        beginning.limits.request_rate = Some(Rate::per_seconds(1, 60));
    });
    run.frames([unserved(2, false), unserved(3, true)]);
    assert_eq!(run.answers(), ["error 2 unsupported", "error 3 throttled"]);
    assert_eq!((run.record().accepted, run.record().answered), (1, 1));
}

#[test]
fn frame_over_the_rate_before_the_login_is_held_and_not_answered() {
    let mut run = Run::with(|beginning| {
        beginning.limits.rate_before_login = Rate::per_seconds(1, 1);
    });
    run.clear();
    assert_eq!(
        run.frames([ping(1), ping(2)]),
        [Served::Done, Served::Later]
    );
    assert_eq!(run.answers(), ["pong 1"]);
    assert!(!run.core.wants_input(), "more is not received meanwhile");
    assert_eq!(run.frame(ping(2)), Served::Later);
    run.now += Duration::from_millis(999);
    assert!(!run.core.tick(run.now, &mut run.out));
    assert!(run.pass(Duration::from_millis(1)), "now there is a token");
    assert_eq!(run.frame(ping(2)), Served::Done);
}

#[test]
fn list_over_the_users_rate_is_answered_throttled() {
    let mut run = Run::member();
    run.out.list_wait = Some(Duration::from_secs(1));
    run.out.reply = Some(Ok("sim".into()));
    run.frames([who(2), sessions(3), request(4)]);
    let expected = ["error 2 throttled", "error 3 throttled", "reply 4"];
    assert_eq!(run.answers(), expected);
}

#[test]
fn frames_are_not_taken_while_answers_pile_up() {
    let mut run = Run::member();
    run.out.has_room = false;
    assert!(!run.takes_frames());
    run.out.has_room = true;
    assert!(run.takes_frames());
}

#[test]
fn frame_behind_the_cut_is_refused_and_counted() {
    let mut run = Run::member();
    run.out.head = Seq(5);
    run.out.write_all();
    run.core.announce(status(Phase::Announce), &mut run.out);
    run.frames([request(2), login(3), fim(4), ack(4), publish(5)]);
    let expected = [
        "stopping - announce",
        "error 2 stopping",
        "error 3 stopping",
        "error 5 stopping",
    ];
    assert_eq!(run.answers(), expected);
    let record = run.record();
    assert_eq!(
        (record.accepted, record.refused),
        (0, 2),
        "logins are not counted"
    );
    assert_eq!(record.acked, Seq(4));
}

#[test]
fn second_shutdown_of_an_admin_is_asked_behind_the_cut() {
    let mut run = Run::member();
    run.out.account_role = Role::Admin;
    run.core.announce(status(Phase::Announce), &mut run.out);
    run.frame(shutdown(2, false));
    assert_eq!(run.effects(), [Effect::Ask(Ask::Stop { now: false })]);
    run.done(Done::Stopping(status(Phase::Requests)));
    assert_eq!(
        run.answers(),
        ["stopping - announce", "stopping 2 requests"]
    );
}

#[test]
fn frame_behind_closing_is_not_answered() {
    let mut run = Run::member();
    run.out.head = Seq(5);
    run.out.write_all();
    run.frame(fim(2));
    run.advance();
    assert_eq!(run.answers().len(), 1);
    run.frames([ping(3), request(4), who(5), ack(5)]);
    assert_eq!(run.answers(), [""; 0]);
    assert_eq!((run.effects().len(), run.record().accepted), (2, 0));
    assert_eq!(run.record().acked, Seq(5), "an ack still counts");
}

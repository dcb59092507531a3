//! Connections that the system fails, panics, and clients that go.

use std::time::Duration;

use crate::actors::session::core::effects::Done;
use crate::actors::session::core::policy::Policy;
use crate::actors::session::core::testing::{
    Effect, Run, entry, fim, login, ping, publish, request, status,
};
use crate::close::{Evidence, Phase};
use crate::rate::Rate;
use crate::wire::Seq;

const LOOK: Duration = Duration::from_millis(250);

#[test]
fn input_that_cannot_be_read_ends_the_session_and_the_client_is_told() {
    let mut run = Run::member();
    run.core.input_failed(&mut run.out);
    run.advance();
    assert_eq!(run.answers()[0], "error - internal");
    assert!(run.core.has_failed(&run.out));
    assert!(!run.core.wants_input());
    assert_eq!(run.reason(), "internal");
}

#[test]
fn unreadable_input_in_an_ending_is_a_server_failure() {
    let mut run = Run::member();
    run.frame(fim(2));
    run.core.input_failed(&mut run.out);
    run.advance();
    assert_eq!(
        run.answers(),
        ["closing internal at 0, 0 accepted, 0 refused"]
    );

    let mut run = Run::member();
    let error = crate::wire::WireError {
        code: crate::wire::ErrorCode::BadFrame,
        message: String::new(),
    };
    run.core.bad_input(&error, &mut run.out);
    run.core.input_failed(&mut run.out);
    assert_eq!(run.reason(), "bad-frame", "the client's own error stays");
}

#[test]
fn session_with_unreadable_input_lingers_until_the_client_has_gone() {
    let mut run = Run::member();
    run.core.input_failed(&mut run.out);
    run.advance_and_write();
    assert!(
        !run.core.is_closed(),
        "closing would take back what is unread"
    );
    run.out.is_hung_up = true;
    run.pass_until_woken(Duration::ZERO);
    run.advance();
    assert!(run.core.is_closed());
}

#[test]
fn session_with_failed_output_is_owed_earlier_broadcasts() {
    let mut run = Run::member();
    run.out.head = Seq(5);
    run.out.break_output(true);
    run.advance();
    run.out.head = Seq(9);
    let record = run.record();
    assert_eq!(record.reason, "internal");
    assert_eq!(record.missing, [(Seq(1), Seq(5))]);
    assert!(run.core.has_failed(&run.out));
}

#[test]
fn session_with_failed_output_in_a_stop_is_owed_everything() {
    let mut run = Run::member();
    run.out.stop_time = Some(crate::close::Micros(1));
    run.out.head = Seq(5);
    run.out.break_output(true);
    run.advance();
    run.out.head = Seq(9);
    assert!(run.record().is_owed_head);
    assert_eq!(run.record().missing, [(Seq(1), Seq(9))]);
}

#[test]
fn failed_output_during_a_login_lets_that_come_to_its_end() {
    let mut run = Run::new();
    run.frame(login(1));
    run.out.break_output(true);
    run.advance();
    assert!(!run.core.is_closed());
    run.done(Done::Login(Ok(entry(Seq::ZERO)))).advance();
    assert!(run.core.is_closed());
    assert_eq!(
        run.core.present_user().map(|user| user.as_str()),
        Some("ana"),
        "the hub is told"
    );
}

#[test]
fn panic_forgets_work_and_tells_the_client() {
    let mut run = Run::member();
    run.frame(request(2));
    run.core.panicked(&mut run.out);
    run.advance();
    let expected = [
        "error - internal",
        "closing internal at 0, 0 accepted, 0 refused",
    ];
    assert_eq!(run.answers(), expected);
    let record = run.record();
    assert_eq!((record.accepted, record.answered), (1, 0));
}

#[test]
fn panic_drops_the_run_that_was_gathered() {
    let mut run = Run::member();
    run.core.begin_pass();
    run.core.frame(publish(2), run.now, &mut run.out);
    run.core.panicked(&mut run.out);
    run.core.end_pass(false, run.now, &mut run.out);
    assert_eq!(run.effects(), [], "it is not published");
}

#[test]
fn panic_behind_closing_closes_the_session() {
    let mut run = Run::member();
    run.frame(fim(2));
    run.advance();
    run.core.panicked(&mut run.out);
    assert!(run.core.is_closed());
    assert_eq!(run.reason(), "internal");
}

#[test]
fn end_of_input_ends_the_session_once_all_is_served() {
    let mut run = Run::member();
    run.frame(request(2));
    run.core.hang_up();
    assert!(
        !run.core.end_of_input(false, &mut run.out),
        "the request is in work"
    );
    run.done(Done::Replied(Ok("sim".into())));
    assert!(!run.core.end_of_input(true, &mut run.out), "a frame waits");
    assert!(run.core.end_of_input(false, &mut run.out));
    assert!(!run.core.end_of_input(false, &mut run.out), "once");
    run.advance();
    assert_eq!(
        run.answers(),
        [
            "reply 2",
            "closing disconnected at 0, 1 accepted, 0 refused"
        ]
    );
}

#[test]
fn outbound_client_that_closed_its_side_may_read_on() {
    let outbound = || {
        let mut run = Run::with(|beginning| beginning.policy = Policy::RawOutbound);
        run.clear();
        run.core.hang_up();
        run
    };
    let mut run = outbound();
    assert!(!run.core.end_of_input(false, &mut run.out));
    run.pass(Duration::ZERO);
    assert_eq!(run.sleep(), Some(LOOK), "it is looked at now and then");
    assert!(run.pass(LOOK));
    for (is_clear, is_broken, reason) in [
        (true, false, "disconnected"),
        (false, false, "lost"),
        (true, true, "lost"),
    ] {
        let mut run = outbound();
        run.out.is_hung_up = true;
        run.out.output.is_clear = is_clear;
        run.out.output.is_broken = is_broken;
        assert!(run.core.end_of_input(false, &mut run.out));
        assert_eq!(run.reason(), reason);
    }
}

#[test]
fn login_of_a_disconnected_client_is_abandoned() {
    let mut run = Run::new();
    run.frame(login(1));
    run.pass(Duration::ZERO);
    run.out.is_hung_up = true;
    run.effects();
    assert!(run.pass(LOOK));
    assert_eq!(run.effects(), [Effect::AbandonLogin]);
    assert!(!run.core.is_closed(), "the hub may know of the login");
    assert!(!run.pass(LOOK), "once");
    run.done(Done::Login(Ok(entry(Seq::ZERO))));
    assert_eq!(run.answers(), ["logged_in 1 ana"]);
}

#[test]
fn client_that_goes_while_it_is_held_is_lost() {
    let mut run = Run::with(|beginning| {
        beginning.limits.rate_before_login = Rate::per_seconds(1, 60);
    });
    run.frames([ping(1), ping(2)]);
    run.pass(Duration::ZERO);
    run.out.is_hung_up = true;
    assert!(run.pass(LOOK));
    assert!(run.core.is_closed());
    assert_eq!(run.reason(), "lost");
}

#[test]
fn client_of_a_stop_that_breaks_the_connection_is_lost() {
    let mut run = Run::member();
    run.core.announce(status(Phase::Announce), &mut run.out);
    run.out.break_output(false);
    run.advance();
    assert!(!run.core.is_closed(), "what it sent may be unread yet");
    run.core.hang_up();
    run.advance();
    assert_eq!(run.reason(), "lost");
    assert_eq!(run.record().evidence, Evidence::Queued);
}

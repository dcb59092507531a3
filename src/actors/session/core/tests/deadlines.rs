//! The deadlines for the client's frames.

use std::time::Duration;

use crate::accounts::LoginRefusal;
use crate::actors::session::core::effects::{Done, LoginFailure};
use crate::actors::session::core::testing::{LIMITS, Run, login, ping, request};

const SECOND: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(60);

#[test]
fn client_that_does_not_log_in_in_time_is_told_and_ended() {
    let mut run = Run::new();
    assert_eq!(run.sleep(), Some(LIMITS.login_timeout));
    run.pass(LIMITS.login_timeout - SECOND);
    run.frame(ping(1));
    assert!(run.pass(SECOND), "a ping is no login");
    assert_eq!(run.answers(), ["pong 1", "error - login-timeout"]);
}

#[test]
fn login_in_work_is_not_late_until_it_has_failed() {
    let mut run = Run::new();
    run.frame(login(1));
    assert!(!run.pass(LIMITS.login_timeout));
    assert!(!run.pass(SECOND));
    let wrong = LoginFailure::Refused(LoginRefusal::BadCredentials);
    run.done(Done::Login(Err(wrong)));
    run.pass(Duration::ZERO);
    assert_eq!(
        run.answers(),
        ["error 1 bad-credentials", "error - login-timeout"]
    );
}

#[test]
fn member_that_sends_nothing_is_told_and_ended() {
    let mut run = Run::member();
    run.pass(IDLE - SECOND);
    run.frame(ping(2));
    assert!(!run.pass(SECOND), "a frame begins the time again");
    assert_eq!(run.sleep(), Some(IDLE - SECOND));
    assert!(run.pass_until_woken(Duration::ZERO));
    assert_eq!(run.answers(), ["pong 2", "error - idle-timeout"]);
}

#[test]
fn member_whose_request_is_in_work_is_not_idle() {
    let mut run = Run::member();
    run.frame(request(2));
    assert!(!run.pass(IDLE));
    run.now += IDLE;
    run.done(Done::Replied(Ok("sim".into())));
    assert!(!run.pass(Duration::ZERO), "its time begins with the answer");
    assert_eq!(run.answers(), ["reply 2"]);
}

#[test]
fn member_that_takes_its_answers_is_not_idle() {
    let mut run = Run::member();
    run.pass(IDLE - SECOND);
    run.core.note_room(run.now);
    assert!(!run.pass(SECOND));
}

#[test]
fn deadline_that_is_judged_late_is_extended_once() {
    let mut run = Run::member();
    assert!(
        !run.pass_until_woken(3 * SECOND),
        "this process did not run"
    );
    assert_eq!(run.sleep(), Some(10 * SECOND));
    assert!(run.pass_until_woken(3 * SECOND));
    assert_eq!(run.answers(), ["error - idle-timeout"]);
}

#[test]
fn member_with_unread_input_is_not_idle() {
    let mut run = Run::member();
    run.out.has_input = true;
    assert!(!run.pass(IDLE));
    assert_eq!(
        run.sleep(),
        Some(Duration::from_millis(10)),
        "it is read soon"
    );
    run.out.has_input = false;
    assert!(run.pass_until_woken(Duration::ZERO));
}

#[test]
fn session_without_an_idle_timeout_waits_for_ever() {
    let mut run = Run::member_with(|beginning| beginning.limits.idle_timeout = None);
    assert_eq!(run.sleep(), None);
    assert!(!run.pass(1000 * IDLE));
}

#[test]
fn idle_timeout_beyond_the_clock_waits_as_long_as_that_goes() {
    let mut run = Run::member_with(|beginning| {
        beginning.limits.idle_timeout = Some(Duration::MAX);
    });
    run.frame(ping(2));
    assert!(!run.pass(1000 * IDLE));
    assert_eq!(run.answers(), ["pong 2"]);
}

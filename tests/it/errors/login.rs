//! The errors before and during a login.

use std::time::Duration;

use crate::support::{Fixture, PASSWORD, login, wait_until};

#[test]
pub(super) fn request_before_login_is_not_logged_in() {
    let fixture = Fixture::new();
    let mut client = fixture.unauthenticated();
    client.request(5, "a");
    assert_eq!(client.expect_error("not-logged-in").num("id"), 5);
    client.log_in("ana");
    fixture.finish();
}

#[test]
pub(super) fn second_login_is_already_logged_in() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    ana.send(&login(5, "rui", PASSWORD));
    assert_eq!(ana.expect_error("already-logged-in").num("id"), 5);
    ana.ping();
    fixture.finish();
}

#[test]
pub(super) fn invalid_user_name_is_bad_name() {
    let fixture = Fixture::new();
    let mut client = fixture.unauthenticated();
    let long = "a".repeat(65);
    for name in ["", "a b", "a\u{7}", "\u{2460}", &long] {
        client.send_bytes(&login(5, name, PASSWORD).bytes());
        assert_eq!(client.expect_error("bad-name").num("id"), 5, "{name:?}");
    }
    client.log_in(&"a".repeat(64));
    fixture.finish();
}

#[test]
fn console_name_cannot_log_in() {
    let fixture = Fixture::new();
    let mut client = fixture.unauthenticated();
    client.send(&login(5, arauto::internal::accounts::CONSOLE, PASSWORD));
    let error = client.expect("error");
    assert_eq!(error.text("code"), "bad-name", "{error:?}");
    fixture.finish();
}

#[test]
pub(super) fn wrong_password_is_bad_credentials() {
    let fixture = Fixture::new();
    fixture.client("ana").fim();
    let mut client = fixture.unauthenticated();
    client.send(&login(5, "ana", "outro"));
    assert_eq!(client.expect_error("bad-credentials").num("id"), 5);
    client.log_in("ana");
    fixture.finish();
}

#[test]
pub(super) fn unknown_name_is_registration_closed() {
    let fixture = Fixture::listening("?registration=closed", |_| {});
    let mut client = fixture.unauthenticated();
    client.send(&login(5, "ana", PASSWORD));
    assert_eq!(client.expect_error("registration-closed").num("id"), 5);
    client.ping();
    fixture.finish();
}

#[test]
pub(super) fn login_above_the_rate_is_throttled() {
    let fixture =
        Fixture::with(|config| config.limits.login_rate_per_peer = "1/h".parse().expect("one"));
    drop(fixture.client("ana"));
    let mut rui = fixture.unauthenticated();
    rui.send(&login(5, "rui", PASSWORD));
    assert_eq!(rui.expect_error("throttled").num("id"), 5);
    rui.ping();
    fixture.finish();
}

#[test]
pub(super) fn session_without_a_login_in_time_is_login_timeout() {
    let fixture = Fixture::with(|config| config.timeouts.login = Duration::from_millis(100));
    let mut client = fixture.unauthenticated();
    client.expect_error("login-timeout");
    client.expect_closing("login-timeout");
    fixture.finish();
}

#[test]
fn pings_do_not_extend_the_login_timeout() {
    let fixture = Fixture::with(|config| config.timeouts.login = Duration::from_millis(100));
    let mut client = fixture.unauthenticated();
    let frames = loop {
        if client
            .try_send(&crate::support::ask("ping", 1).bytes())
            .is_err()
        {
            break client.until("closing");
        }
        match client.recv() {
            Some(frame) if frame.is("pong") => {}
            Some(frame) => break vec![frame, client.expect("closing")],
            None => panic!("the end without a word"),
        }
    };
    assert_eq!(
        frames.last().expect("there is one").text("reason"),
        "login-timeout"
    );
    fixture.finish();
}

#[test]
pub(super) fn session_above_max_sessions_is_too_many_sessions() {
    let fixture = Fixture::with(|config| config.limits.max_sessions = 1);
    let mut ana = fixture.client("ana");
    let mut other = fixture.unauthenticated();
    other.expect_error("too-many-sessions");
    other.expect_closing("too-many-sessions");
    ana.fim();
    drop(ana);
    wait_until("the place is free again", || {
        let mut client = fixture.unauthenticated();
        let _ = client.try_send(&crate::support::ask("ping", 1).bytes()); // or it is closed
        client.recv().is_some_and(|frame| frame.is("pong"))
    });
    fixture.finish();
}

#[test]
#[cfg(unix)] // at a pipe the next client waits: `windows::instances`
fn endpoint_max_limits_its_sessions() {
    let fixture = Fixture::listening("?max=2", |config| {
        Fixture::also(config, "tcp:127.0.0.1:0");
    });
    let _two = [fixture.unauthenticated(), fixture.unauthenticated()];
    let mut third = fixture.unauthenticated();
    third.expect_error("too-many-sessions");
    third.expect_closing("too-many-sessions");
    let mut elsewhere = fixture.tcp_unauthenticated();
    elsewhere.log_in("ana");
    elsewhere.fim();
    drop(elsewhere);
    fixture.finish();
}

//! The rates of logins, and the number of accounts.

use std::time::{Duration, Instant};

use super::keep_account;
use crate::support::{Fixture, Frame, FrameClient, PASSWORD, login, wait_until};

/// The wait that an error names.
fn wait_in(error: &Frame) -> Duration {
    Duration::from_millis(error.num("retry_after"))
}

#[test]
fn wrong_passwords_delay_the_right_one_until_the_wait_ends() {
    let mut _data = None;
    let fixture = Fixture::with(|config| _data = Some(keep_account(config, "ana")));
    let mut codes = Vec::new();
    let held = loop {
        let mut client = fixture.unauthenticated();
        client.send(&login(5, "ana", "guess"));
        let error = client.expect("error");
        codes.push(error.text("code").to_owned());
        if error.text("code") == "throttled" {
            break error;
        }
    };
    let wrong = codes.iter().filter(|code| *code == "bad-credentials");
    assert_eq!((wrong.count(), codes.len()), (10, 11), "{codes:?}");
    let wait = wait_in(&held);
    assert!((1..=100).contains(&wait.as_millis()), "{held:?}");

    let began = Instant::now();
    wait_until("the wait is over", || began.elapsed() >= wait);
    let mut owner = fixture.unauthenticated();
    owner.send(&login(6, "ana", PASSWORD));
    owner.expect("logged_in");
    fixture.finish();
}

/// Fails logins of ana until one is held back.
fn guess_until_held(unauthenticated_client: impl Fn() -> FrameClient) {
    loop {
        let mut client = unauthenticated_client();
        client.send(&login(5, "ana", "guess"));
        if client.expect("error").text("code") == "throttled" {
            return;
        }
    }
}

#[test]
fn right_password_ends_the_back_off_on_every_endpoint() {
    let mut _data = None;
    let fixture = Fixture::with(|config| {
        _data = Some(keep_account(config, "ana"));
        Fixture::also(config, "tcp:127.0.0.1:0");
    });
    let local = || fixture.unauthenticated();
    let tcp = || fixture.tcp_unauthenticated();
    for unauthenticated_client in [&local as &dyn Fn() -> FrameClient, &tcp] {
        guess_until_held(unauthenticated_client);
        wait_until("the right password is let in", || {
            let mut owner = unauthenticated_client();
            owner.send(&login(6, "ana", PASSWORD));
            owner.recv().expect("an answer").is("logged_in")
        });
        for _ in 0..10 {
            let mut client = unauthenticated_client();
            client.send(&login(7, "ana", "mistyped"));
            assert_eq!(client.expect("error").text("code"), "bad-credentials");
        }
    }
    fixture.finish();
}

#[test]
fn throttled_login_leaves_the_session_open() {
    let fixture =
        Fixture::with(|config| config.limits.login_rate_per_peer = "1/h".parse().expect("one"));
    drop(fixture.client("ana")); // it took the only token
    let mut rui = fixture.unauthenticated();
    for id in 1..=10 {
        rui.send(&login(id, "rui", PASSWORD));
        let error = rui.expect_error("throttled");
        assert_eq!(error.num("id"), id);
        assert!(wait_in(&error) > Duration::from_secs(3000), "{error:?}");
    }
    rui.ping();
    // A login whose password was right a moment ago costs no token.
    rui.send(&login(11, "ana", PASSWORD));
    rui.expect("logged_in");
    fixture.finish();
}

#[test]
#[cfg(unix)] // a pipe of Windows does not tell that its client has gone
fn logins_of_gone_clients_delay_nobody() {
    let fixture = Fixture::with(|config| {
        config.limits.hashing = 1;
        // The best part of a second each: all of them would take longer than the watchdog.
        config.hash_cost = arauto::HashCost {
            memory_kib: 19 * 1024,
            passes: 60,
        };
    });
    for number in 0..200 {
        let mut gone = fixture.unauthenticated();
        gone.send(&login(1, &format!("u{number}"), PASSWORD));
    }
    fixture.client("ana").ping();
    fixture.wait_for_sessions(0);
    fixture.finish();
}

#[test]
fn registration_at_max_accounts_is_refused() {
    let fixture = Fixture::with(|config| config.limits.max_accounts = 1);
    drop(fixture.client("ana"));
    let mut rui = fixture.unauthenticated();
    rui.send(&login(5, "rui", PASSWORD));
    rui.expect_error("registration-closed");
    rui.send(&login(6, "ana", PASSWORD));
    rui.expect("logged_in");
    fixture.finish();
}

#[test]
fn frame_limit_before_login_is_configurable() {
    let fixture = Fixture::with(|config| config.limits.max_frame_before_login = 1024);
    let mut long = fixture.unauthenticated();
    long.send(&login(5, "ana", &"x".repeat(2000)));
    long.expect_error("frame-too-large");
    long.expect_closing("frame-too-large");
    let mut ana = fixture.client("ana");
    ana.request(7, &"x".repeat(2000));
    ana.skip_to("reply");
    fixture.finish();
}

//! The limits of the number of sessions.

use crate::support::{Fixture, login, wait_until};

#[test]
fn login_above_max_sessions_per_user_is_refused() {
    let fixture = Fixture::with(|config| config.limits.max_sessions_per_user = 2);
    let (first, mut second) = (fixture.client("ana"), fixture.client("ana"));
    let mut third = fixture.unauthenticated();
    third.send(&login(7, "ana", crate::support::PASSWORD));
    assert_eq!(third.expect_error("too-many-sessions").num("id"), 7);
    third.expect_closing("too-many-sessions");

    let mut rui = fixture.client("rui");
    rui.fim();
    second.skip_to("left"); // of rui, and of nobody before: the third never joined
    drop((first, rui));
    wait_until("ana has a place again", || {
        let mut client = fixture.unauthenticated();
        client.send(&login(7, "ana", crate::support::PASSWORD));
        client.recv().is_some_and(|frame| frame.is("logged_in"))
    });
    fixture.finish();
}

#[test]
fn unauthenticated_sessions_have_their_own_limit() {
    let fixture = Fixture::with(|config| config.limits.max_unauthenticated = 2);
    let members = [
        fixture.client("ana"),
        fixture.client("rui"),
        fixture.client("eva"),
    ];
    let mut unauthenticated = [fixture.unauthenticated(), fixture.unauthenticated()];
    let mut third = fixture.unauthenticated();
    third.expect_error("too-many-sessions");
    third.expect_closing("too-many-sessions");
    unauthenticated[0].log_in("gil");
    let mut another = fixture.unauthenticated();
    another.ping();
    drop((members, unauthenticated, another));
    fixture.finish();
}

#[test]
fn connection_above_max_sessions_per_peer_is_refused() {
    let fixture = Fixture::with(|config| config.limits.max_sessions_per_peer = 1);
    let mut ana = fixture.client("ana");
    let mut second = fixture.unauthenticated();
    if cfg!(windows) {
        // A pipe's client is known from its first frame on.
        second.send(&login(7, "rui", crate::support::PASSWORD));
    }
    second.expect_error("too-many-sessions");
    second.expect_closing("too-many-sessions");
    ana.ping();
    drop(ana);
    wait_until("the place is free again", || {
        let mut client = fixture.unauthenticated();
        let login = login(7, "ana", crate::support::PASSWORD);
        let _ = client.try_send(&login.bytes()); // or it is closed
        client.recv().is_some_and(|frame| frame.is("logged_in"))
    });
    fixture.finish();
}

#[test]
#[cfg(unix)] // all connect before any reads: a pipe of windows takes back what is unread for a second
fn many_refused_connections_each_get_their_error() {
    // One at a time is told so; the others wait, none is dropped without a word.
    let fixture = Fixture::with(|config| {
        (
            config.limits.max_sessions,
            config.limits.max_sessions_per_peer,
        ) = (8, 1)
    });
    let mut ana = fixture.client("ana");
    let callers: Vec<_> = (0..20).map(|_| fixture.connected()).collect();
    for mut caller in callers {
        caller.expect("welcome");
        caller.expect_error("too-many-sessions");
        caller.expect_closing("too-many-sessions");
    }
    ana.ping();
    drop(ana);
    fixture.finish();
}

//! Two users of one machine, whose limits are independent.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use super::keep_account;
use crate::support::{
    Fixture, Frame, FrameClient, PASSWORD, as_other_user, can_become_other_user, login,
};

/// Starts a server that every user of this machine may connect to. Returns `None` if the tests
/// cannot switch to another user.
fn open_to_everybody(change: impl FnOnce(&mut arauto::Config)) -> Option<Fixture> {
    if !can_become_other_user() {
        return None;
    }
    let fixture = Fixture::listening("?access=everyone", change);
    let socket = fixture.socket();
    let folder = socket.parent().expect("it is in a folder");
    let mode = Permissions::from_mode(0o755);
    std::fs::set_permissions(folder, mode).expect("the folder is ours");
    Some(fixture)
}

fn guess(client: &mut FrameClient, password: &str) -> Frame {
    client.send(&login(5, "ana", password));
    client.expect("error")
}

#[test]
fn local_user_has_its_own_session_limit() {
    let Some(fixture) = open_to_everybody(|config| config.limits.max_sessions_per_peer = 1) else {
        return;
    };
    let mut ana = fixture.client("ana");
    as_other_user(|| {
        let mut rui = fixture.client("rui");
        let mut second = fixture.unauthenticated();
        second.expect_error("too-many-sessions");
        second.expect_closing("too-many-sessions");
        rui.ping();
    });
    ana.ping();
    fixture.finish();
}

#[test]
fn reconnecting_peer_keeps_no_other_peer_out() {
    let Some(fixture) = open_to_everybody(|config| {
        config.limits.max_sessions = 16; // two of those that are turned away are told at a time
        config.limits.max_sessions_per_peer = 1;
    }) else {
        return;
    };
    let _clients = as_other_user(|| {
        let rui = fixture.client("rui");
        // Nobody reads. Were each waited for the second that it may take, the last would
        // come to its turn behind the watchdog.
        let connect = |_| UnixStream::connect(fixture.socket()).expect("it is listened on");
        let unread: Vec<_> = (0..200).map(connect).collect();
        (rui, unread)
    });
    fixture.client("ana").ping();
}

#[test]
fn password_guesser_does_not_keep_the_owner_out() {
    let mut _data = None;
    let Some(fixture) = open_to_everybody(|config| _data = Some(keep_account(config, "ana")))
    else {
        return;
    };
    as_other_user(|| {
        let guesses = (0..200).map(|_| fixture.unauthenticated());
        let told = guesses.map(|mut client| guess(&mut client, "guess").text("code").to_owned());
        let held = told.filter(|code| code == "throttled").count();
        assert!(held > 100, "{held} of 200 guesses were held back");
    });
    // The owner is looked at as if nothing had been: even a mistake is only that.
    let mut owner = fixture.unauthenticated();
    assert_eq!(
        guess(&mut owner, "mistyped").text("code"),
        "bad-credentials"
    );
    owner.send(&login(6, "ana", PASSWORD));
    owner.expect("logged_in");
    fixture.finish();
}

#[test]
fn peer_with_all_unauthenticated_permits_blocks_no_other() {
    let Some(fixture) = open_to_everybody(|config| config.limits.max_unauthenticated = 6) else {
        return;
    };
    let mut first: Vec<FrameClient> = (0..6).map(|_| fixture.unauthenticated()).collect();
    let mut seventh = fixture.unauthenticated();
    seventh.expect_error("too-many-sessions");
    as_other_user(|| {
        let mut rui = fixture.client("rui");
        rui.ping();
        let others: Vec<FrameClient> = (0..3).map(|_| fixture.unauthenticated()).collect();
        let mut fourth = fixture.unauthenticated();
        fourth.expect_error("too-many-sessions"); // it has half of them
        drop(others);
    });
    // One place for the login, which is free again, and two more: the oldest gave them up.
    for told in &mut first[..2] {
        told.expect_error("too-many-sessions");
        told.expect_closing("too-many-sessions");
    }
    for kept in &mut first[4..] {
        kept.ping();
    }
    first[5].log_in("ana");
    drop((first, seventh));
    fixture.finish();
}

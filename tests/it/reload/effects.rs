//! What a reload does for sessions that are there, and for new ones.

use super::Configured;
use crate::support::{Frame, FrameClient, login, text, watchdog};

/// Publishes a value to keep, and returns the answer.
fn keep(client: &mut FrameClient, id: u64, topic: &str) -> Frame {
    let id = serde_cbor::Value::Integer(id.into());
    let frame = Frame::new(
        "publish",
        [
            ("id", id),
            ("body", text("1")),
            ("topic", text(topic)),
            ("keep", serde_cbor::Value::Bool(true)),
        ],
    );
    client.send(&frame);
    loop {
        let frame = client.recv().expect("it is answered");
        if frame.is("published") || frame.is("error") {
            return frame;
        }
    }
}

#[test]
fn session_keeps_the_frame_length_that_it_was_told() {
    let _watchdog = watchdog();
    let server = Configured::new("max-frame = \"64KiB\"\n", &[]);
    let mut ana = server.served.connected();
    assert_eq!(ana.expect("welcome").num("max_frame"), 64 << 10);
    ana.log_in("ana");
    let printed = server.reload_well("max-frame = \"2KiB\"\nmax-frame-before-login = \"2KiB\"\n");
    assert!(
        printed.contains("max-frame: \"64KiB\" -> \"2KiB\"\n"),
        "{printed}"
    );
    let mut rui = server.served.connected();
    assert_eq!(rui.expect("welcome").num("max_frame"), 2 << 10);
    rui.log_in("rui");
    let long = "a".repeat(3000);
    ana.request(1, &long);
    assert_eq!(ana.skip_to("reply").text("body").len(), long.len());
    rui.request(1, &long);
    assert_eq!(rui.skip_to("error").text("code"), "frame-too-large");
    rui.expect_closing("frame-too-large");
    ana.fim();
    drop((ana, rui));
    server.served.stop();
}

#[test]
fn sessions_beyond_a_lowered_limit_stay_and_no_more_are_admitted() {
    let _watchdog = watchdog();
    let server = Configured::new("max-sessions = 10\n", &[]);
    let users = ["ana", "rui", "eva"];
    let mut sessions = users.map(|user| {
        let mut session = server.served.unauthenticated();
        session.log_in(user);
        session
    });
    server.reload_well("max-sessions = 2\n");
    for session in &mut sessions {
        session.ping();
    }
    let mut refused = server.served.unauthenticated();
    refused.skip_to("error");
    refused.expect_closing("too-many-sessions");
    server.reload_well("max-sessions = 4\n");
    let mut admitted = server.served.unauthenticated();
    admitted.log_in("isa");
    drop((sessions, refused, admitted));
    server.served.stop();
}

#[test]
fn new_accounts_get_the_new_role_and_are_bounded_anew() {
    let _watchdog = watchdog();
    let server = Configured::new("", &[]);
    let mut ana = server.served.unauthenticated();
    assert_eq!(ana.log_in("ana").text("role"), "escritor");
    server.reload_well("default-role = \"leitor\"\n");
    let mut rui = server.served.unauthenticated();
    assert_eq!(rui.log_in("rui").text("role"), "leitor");
    server.reload_well("max-accounts = 2\n");
    let mut eva = server.served.unauthenticated();
    eva.send(&login(1, "eva", crate::support::PASSWORD));
    eva.expect_error("registration-closed");
    let mut again = server.served.unauthenticated();
    assert_eq!(again.log_in("ana").text("role"), "escritor");
    drop((ana, rui, eva, again));
    server.served.stop();
}

#[test]
fn kept_values_are_bounded_anew_for_every_session() {
    let _watchdog = watchdog();
    let server = Configured::new("kept-topics = 1\n", &[]);
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana");
    assert!(keep(&mut ana, 1, "a").is("published"));
    assert_eq!(keep(&mut ana, 2, "b").text("code"), "too-many");
    server.reload_well("kept-topics = 2\n");
    assert!(keep(&mut ana, 3, "b").is("published"));
    server.reload_well("kept-topics = 0\n");
    assert!(keep(&mut ana, 4, "b").is("published"), "it is known");
    assert_eq!(keep(&mut ana, 5, "c").text("code"), "too-many");
    drop(ana);
    server.served.stop();
}

#[test]
fn stop_takes_as_long_as_the_reloaded_limit_allows() {
    let _watchdog = watchdog();
    let mut server = Configured::new("drain-timeout = \"1h\"\n", &[]);
    let mut stalled = server.served.unauthenticated();
    stalled.log_in("ana");
    server.reload_well("drain-timeout = \"300ms\"\n");
    server.served.send_stop(crate::support::Stop::USUAL);
    // A reader that reads nothing would hold up the stop for an hour.
    assert_eq!(server.served.wait(), Some(3));
    drop(stalled);
}

//! The users that are present, and the announcements of changes.

use std::time::Instant;

use serde_cbor::Value;

use crate::support::{Fixture, Frame, FrameClient, PASSWORD, text};

#[test]
fn user_joins_with_the_first_session_leaves_with_the_last() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let mut one = fixture.client("rui");
    let mut two = fixture.client("rui");
    two.fim();
    one.fim();
    ana.publish(1, "end");
    let names: Vec<(String, String)> = ana
        .until("message")
        .iter()
        .filter(|frame| !frame.is("message") && !frame.is("published"))
        .map(|frame| (frame.name.clone(), frame.text("user").to_owned()))
        .collect();
    let rui = |name: &str| (name.to_owned(), "rui".to_owned());
    assert_eq!(names, [rui("joined"), rui("left")]);
    fixture.finish();
}

#[test]
fn who_lists_each_user_once_in_order() {
    let fixture = Fixture::new();
    let clients: Vec<_> = ["rui", "ana", "eva", "ana"]
        .map(|user| fixture.client(user))
        .into();
    let mut asking = fixture.client("zoe");
    asking.ask("who", 5);
    let present = asking.skip_to("present");
    assert_eq!(present.num("id"), 5);
    assert_eq!(present.texts("users"), ["ana", "eva", "rui", "zoe"]);
    drop(clients);
    fixture.finish();
}

#[test]
fn broken_connection_is_announced_as_left() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    drop(fixture.client("rui"));
    assert_eq!(ana.expect("joined").text("user"), "rui");
    assert_eq!(ana.expect("left").text("user"), "rui");
    fixture.finish();
}

#[test]
fn user_that_returns_is_announced_as_joined_again() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    for _ in 0..3 {
        let mut rui = fixture.client("rui");
        rui.fim();
        ana.expect("joined");
        ana.expect("left");
    }
    fixture.finish();
}

/// The changes of a user's presence among these frames.
fn changes(frames: &[Frame], user: &str) -> Vec<String> {
    let about = |frame: &&Frame| frame.is("joined") || frame.is("left");
    let changes = frames.iter().filter(about);
    let of = changes.filter(|frame| frame.text("user") == user);
    of.map(|frame| frame.name.clone()).collect()
}

fn visit(fixture: &Fixture, user: &str) {
    let mut client = fixture.client(user);
    client.fim();
}

#[test]
fn flapping_user_is_announced_once_a_second_then_as_it_is() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let begun = Instant::now();
    for _ in 0..200 {
        visit(&fixture, "rui");
    }
    let seconds = begun.elapsed().as_secs() as usize;
    ana.publish(1, "end");
    let mut told = changes(&ana.until("message"), "rui");
    assert!(told.len() <= 4 + seconds, "{seconds} s: {told:?}");
    if told.last().is_none_or(|last| last == "joined") {
        told.push(ana.skip_to("left").name);
    }
    for (number, change) in told.iter().enumerate() {
        assert_eq!(change, ["joined", "left"][number % 2], "{told:?}");
    }
    fixture.finish();
}

#[test]
fn who_list_is_exact_while_announcements_wait() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let mut who = |id| {
        ana.ask("who", id);
        let present = ana.skip_to("present");
        present.texts("users").contains(&"rui")
    };
    for round in 0..20 {
        let mut rui: FrameClient = fixture.client("rui");
        assert!(who(2 * round), "it has logged in");
        rui.fim();
        crate::support::wait_until("rui is gone", || !who(2 * round + 1));
    }
    fixture.finish();
}

#[test]
fn flapping_user_pushes_no_message_out_of_the_log() {
    let fixture = Fixture::with(|config| config.limits.log_bytes = 256 << 10);
    let (mut ana, login) = fixture.client_and_login("ana");
    ana.publish(1, "stays");
    let seq = ana.skip_to("published").num("seq");
    // Each visit would take some 400 bytes of the log.
    for _ in 0..1200 {
        visit(&fixture, "rui");
    }
    let mut eva = fixture.unauthenticated();
    let entries = [
        (text("stream"), text(login.text("stream"))),
        (text("after"), Value::Integer((seq - 1).into())),
    ];
    eva.send(&crate::support::login(1, "eva", PASSWORD).with("resume", Value::Map(entries.into())));
    eva.expect("logged_in");
    assert_eq!(eva.recv().expect("it goes on").text("body"), "stays");
    fixture.finish();
}

#[test]
fn connection_without_a_login_is_not_present() {
    let fixture = Fixture::new();
    let _visitor = fixture.unauthenticated();
    let mut ana = fixture.client("ana");
    ana.ask("who", 1);
    assert_eq!(ana.skip_to("present").texts("users"), ["ana"]);
    fixture.finish();
}

#[test]
fn stop_announces_nobody_as_left() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let mut rui = fixture.client("rui");
    ana.expect("joined");
    fixture.begin_stop();
    for client in [&mut ana, &mut rui] {
        client.expect("stopping");
        client.expect("closing");
    }
    for client in [&mut ana, &mut rui] {
        client.expect_end();
    }
    fixture.assert_clean();
}

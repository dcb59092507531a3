//! Rows 1 and 2: the welcome, and the login.

use arauto::Role;

use crate::support::{Fixture, PASSWORD, ask, login, publish, request, text};

#[test]
fn server_sends_welcome_first() {
    let fixture = Fixture::with(|config| config.limits.max_frame = 2048);
    let (mut one, mut two) = (fixture.connected(), fixture.connected());
    let (first, second) = (one.expect("welcome"), two.expect("welcome"));
    assert_eq!(first.num("version"), 1);
    assert_eq!(first.num("max_frame"), 2048);
    assert!(first.text("server").starts_with("arauto"), "{first:?}");
    assert_ne!(first.num("session"), second.num("session"));
    fixture.finish();
}

#[test]
fn unauthenticated_session_may_login_ping_and_fim() {
    let fixture = Fixture::new();
    let mut client = fixture.unauthenticated();
    client.ask("ping", 1);
    assert_eq!(client.expect("pong").num("id"), 1);
    for frame in [
        request(2, text("a")),
        publish(2, text("a")),
        ask("who", 2),
        ask("shutdown", 2),
        ask("sessions", 2),
    ] {
        client.send(&frame);
        assert_eq!(client.expect_error("not-logged-in").num("id"), 2);
    }
    client.ask("fim", 3);
    let closing = client.expect_closing("fim");
    assert_eq!((closing.num("accepted"), closing.num("refused")), (0, 0));
    fixture.finish();
}

#[test]
fn first_login_registers_and_later_ones_need_the_password() {
    let fixture = Fixture::new();
    let (_first, login_1) = fixture.client_and_login("ana");
    assert!(login_1.flag("registered"));
    assert_eq!(login_1.text("user"), "ana");
    assert_eq!(login_1.text("role"), "escritor");
    assert!(!login_1.text("stream").is_empty());

    let mut second = fixture.unauthenticated();
    second.send(&login(7, "ana", "outro"));
    assert_eq!(second.expect_error("bad-credentials").num("id"), 7);
    second.send(&login(8, "ana", PASSWORD));
    let login_2 = second.expect("logged_in");
    assert_eq!(login_2.num("id"), 8);
    assert!(!login_2.flag("registered"), "known already");
    fixture.finish();
}

#[test]
fn third_bad_password_closes_the_session() {
    let fixture = Fixture::new();
    fixture.client("ana").fim();
    let mut client = fixture.unauthenticated();
    for attempt in 1..=3 {
        client.send(&login(attempt, "ana", "outro"));
        assert_eq!(client.expect_error("bad-credentials").num("id"), attempt);
    }
    client.expect_closing("bad-credentials");
    fixture.finish();
}

#[test]
fn user_names_are_normalized_before_comparison() {
    let fixture = Fixture::new();
    let (_one, composed) = fixture.client_and_login("jos\u{e9}");
    let (_two, decomposed) = fixture.client_and_login("jose\u{301}");
    assert_eq!(composed.text("user"), decomposed.text("user"));
    assert!(!decomposed.flag("registered"), "it is the same name");
    let (_three, capital) = fixture.client_and_login("Jos\u{e9}");
    assert!(
        capital.flag("registered"),
        "case is preserved, and tells names apart"
    );
    fixture.finish();
}

#[test]
fn registration_gets_the_default_role() {
    for role in [Role::Leitor, Role::Escritor, Role::Admin] {
        let fixture = Fixture::with(|config| config.default_role = role);
        let (_client, login) = fixture.client_and_login("ana");
        assert_eq!(login.text("role"), role.as_str());
        fixture.finish();
    }
}

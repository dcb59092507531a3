//! The acts of an operator through the admin endpoint.

use super::Administered;
use super::http::exchange;
use crate::support::{arauto, finish, wait_until, watchdog};

/// Ends a session by the command, and returns its exit code and what it said.
fn end(server: &Administered, session: u64, why: &[&str]) -> (Option<i32>, String) {
    let mut command = arauto(&["sessions", "end", &session.to_string()]);
    command
        .args(["--admin", &server.admin.to_string()])
        .args(why);
    let result = finish(&mut command, "");
    (result.code, result.err)
}

#[test]
fn session_that_an_operator_ends_is_told_the_reason() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana");
    let list = server.get("/sessions").json();
    let session = list["sessions"][0]["session"].as_u64().expect("a number");
    let mut rui = server.served.unauthenticated();
    rui.log_in("rui");
    assert_eq!(
        end(&server, session, &["--why", "manutenção"]),
        (Some(0), String::new())
    );
    let error = ana.skip_to("error");
    assert_eq!(error.text("code"), "revoked");
    assert_eq!(
        error.text("message"),
        "an operator has ended the session: manutenção"
    );
    assert_eq!(ana.skip_to("closing").text("reason"), "revoked");
    drop(ana);
    // The other one goes on.
    rui.publish(2, "bom dia");
    rui.skip_to("published");
    drop(rui);
    server.served.stop();
}

#[test]
fn session_that_has_not_logged_in_can_be_ended_too() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let mut stranger = server.served.unauthenticated();
    wait_until("the session is there", || end(&server, 1, &[]).0 == Some(0));
    let error = stranger.skip_to("error");
    assert_eq!(error.text("message"), "an operator has ended the session");
    stranger.skip_to("closing");
    drop(stranger);
    wait_until("the session has ended", || {
        end(&server, 1, &[]).0 == Some(65)
    });
    let (_, said) = end(&server, 1, &[]);
    assert!(said.contains("there is no session 1"), "{said}");
    server.served.stop();
}

#[test]
fn reason_longer_than_the_bound_is_refused() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let length = 17 * 1024;
    let head = format!(
        "POST /sessions/1/end HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n"
    );
    let request = head + &"x".repeat(length);
    let status = exchange(&server.admin, &request).map(|answer| answer.status);
    assert!(matches!(status, None | Some(413)), "{status:?}");
    server.served.stop();
}

//! `arauto drain`: no new sessions, before a stop.

use super::Administered;
use crate::support::{CommandResult, PASSWORD, Stop, arauto, finish, login, wait_until, watchdog};

/// Runs `arauto drain` with these arguments.
fn drain(server: &Administered, arguments: &[&str]) -> CommandResult {
    let mut command = arauto(&["drain", "--admin", &server.admin.to_string()]);
    finish(command.args(arguments), "")
}

/// Returns the exit code and whether the report says that the server was drained.
fn end(mut server: Administered) -> (Option<i32>, bool) {
    let code = server.served.wait();
    (code, server.served.report().drained)
}

#[test]
fn draining_server_serves_its_sessions_and_takes_no_others() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana");
    let mut connected = server.served.unauthenticated();
    let printed = drain(&server, &[]).expect_success();
    assert_eq!(printed, "no new sessions; sessions left: 2\n");
    let ready = server.get("/readyz");
    assert_eq!(ready.status, 503);
    assert_eq!(
        ready.json()["reasons"],
        serde_json::json!([{"reason": "draining"}])
    );
    assert_eq!(server.get("/livez").status, 200);
    assert_eq!(server.get("/status").json()["state"], "draining");

    connected.send(&login(1, "rui", PASSWORD));
    let error = connected.expect_error("stopping");
    assert!(error.text("message").contains("another"), "{error:?}");
    let mut new = server.served.unauthenticated();
    let error = new.expect_error("stopping");
    assert!(error.text("message").contains("another"), "{error:?}");
    new.expect_closing("shutdown");
    ana.publish(2, "bom dia");
    ana.skip_to("published");

    let printed = drain(&server, &["--cancel"]).expect_success();
    assert!(
        printed.starts_with("new sessions are taken again"),
        "{printed}"
    );
    assert_eq!(server.get("/readyz").status, 200);
    connected.log_in("rui");
    let mut eva = server.served.unauthenticated();
    eva.log_in("eva");
    drop((ana, connected, new, eva));
    server.served.stop();
}

#[test]
fn drain_stops_the_server_when_the_last_session_has_gone() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana");
    let printed = drain(&server, &["--stop", "--within", "1h"]).expect_success();
    assert!(
        printed.contains("sessions left: 1") && printed.contains("within 1h"),
        "{printed}"
    );
    let mut status = arauto(&["status", "--admin", &server.admin.to_string()]);
    let screen = finish(&mut status, "").expect_success();
    assert!(screen.contains(", draining\n"), "{screen}");
    assert!(
        screen.contains("drain      stops when the last session has gone"),
        "{screen}"
    );
    ana.ping();
    ana.fim();
    drop(ana);
    assert_eq!(end(server), (Some(0), true));
}

#[test]
fn session_that_stays_is_told_of_the_stop_when_the_time_is_up() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana");
    drain(&server, &["--stop", "--within", "50ms"]).expect_success();
    assert_eq!(ana.skip_to("stopping").text("reason"), "admin");
    ana.skip_to("closing");
    drop(ana);
    assert_eq!(end(server), (Some(0), true));
}

#[test]
fn cancelled_drain_stops_nothing_and_is_in_no_report() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana");
    drain(&server, &["--stop"]).expect_success();
    drain(&server, &["--cancel"]).expect_success();
    ana.fim();
    drop(ana);
    // A server that had to stop would not take this session.
    let mut rui = server.served.unauthenticated();
    rui.log_in("rui");
    drop(rui);
    server.served.send_stop(Stop::USUAL);
    assert_eq!(end(server), (Some(0), false));
}

#[test]
fn stop_during_a_drain_is_as_ever_and_a_drain_during_a_stop_refused() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana");
    drain(&server, &[]).expect_success();
    server.served.send_stop(Stop::USUAL);
    // Its last frames are not read, so the stop cannot go on.
    wait_until("the stop has begun", || {
        server.get("/status").json()["state"] == "stopping"
    });
    for arguments in [&[][..], &["--cancel"]] {
        drain(&server, arguments).expect_failure(75, &["the server is stopping"]);
    }
    ana.skip_to("closing");
    drop(ana);
    assert_eq!(end(server), (Some(0), true));
}

#[test]
fn arguments_of_a_drain_that_contradict_each_other_are_refused() {
    let _watchdog = watchdog();
    let drain = |arguments: &[&str]| {
        let mut command = arauto(&["drain", "--admin", "unix:/no"]);
        finish(command.args(arguments), "")
    };
    drain(&["--within", "1s"]).expect_failure(64, &["--stop"]);
    drain(&["--stop", "--cancel"]).expect_failure(64, &["--cancel"]);
    drain(&["--stop", "--within", "soon"]).expect_failure(64, &["soon"]);
}

//! `arauto status`: what the admin endpoint tells, for people and for scripts.

use serde_json::Value;

use super::Administered;
use crate::support::{arauto, finish, os, watchdog};

#[test]
fn status_tells_of_sessions_log_and_parts() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana");
    ana.publish(2, "bom dia");
    ana.skip_to("published");
    let admin = server.admin.to_string();
    let printed = finish(&mut arauto(&["status", "--admin", &admin]), "").expect_success();
    let endpoint = server.served.endpoint();
    for line in [
        "server     arauto 0.1.0, serving\n".to_owned(),
        format!("sessions   1 logged in, 0 not, at {endpoint}\n"),
        "so far     1 sessions, 1 logins, 0 gaps\n".to_owned(),
        "requests   0 in work\n".to_owned(),
    ] {
        assert!(printed.contains(&line), "{line:?} is not in {printed}");
    }
    assert!(
        printed.contains(", head 2\n") && printed.contains("session thread 0 "),
        "{printed}"
    );

    let mut by_json = arauto(&["status", "--json"]);
    by_json.env("ARAUTO_ADMIN", &admin);
    let printed = finish(&mut by_json, "").expect_success();
    let status: Value = serde_json::from_str(&printed).expect("it is json");
    assert_eq!(
        (&status["state"], &status["head"]),
        (&"serving".into(), &2.into())
    );
    drop(ana);
    server.served.stop();
}

#[test]
fn status_of_no_server_names_what_is_missing() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let admin = os::endpoint(folder.path(), "admin").to_string();
    let result = finish(&mut arauto(&["status", "--admin", &admin]), "");
    result.expect_failure(69, &[&admin, "--admin"]);
    let wrong = finish(&mut arauto(&["status", "--admin", "tls:localhost:1"]), "");
    wrong.expect_failure(64, &["tls:localhost:1"]);
    // The endpoint of clients speaks another protocol.
    let server = Administered::new();
    let clients = server.served.endpoint().to_string();
    let other = finish(&mut arauto(&["status", "--admin", &clients]), "");
    other.expect_failure(76, &[&clients]);
    server.served.stop();
}

#[test]
fn sessions_are_listed_with_their_users() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana");
    let answer = server.get("/sessions");
    assert_eq!(answer.status, 200);
    let list = answer.json();
    assert_eq!(
        (&list["total"], &list["sessions"][0]["user"]),
        (&1.into(), &"ana".into())
    );
    drop(ana);
    server.served.stop();
}

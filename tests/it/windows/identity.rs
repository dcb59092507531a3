//! The identity of the peer of a pipe.

use crate::support::{Served, ask, finish, wait_until, watchdog};

/// The names that this machine has for who runs the test.
fn own_account() -> String {
    std::env::var("USERNAME").expect("windows sets it")
}

#[test]
fn pipe_session_names_the_peers_process_and_user() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let mut sessions = served.command(&["sessions", "--json"]);
    let lines = finish(sessions.env("ARAUTO_USER", "rui"), "").expect_success();
    let lines = lines.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("it is json");
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        (text("user"), text("peer"))
    });
    let lines: Vec<(String, String)> = lines.collect();
    let (_, peer) = lines
        .iter()
        .find(|(user, _)| user == "ana")
        .unwrap_or_else(|| panic!("ana is there: {lines:?}"));
    let pid = format!("pid {} user ", std::process::id());
    let account = peer.strip_prefix(&pid);
    let account = account.unwrap_or_else(|| panic!("{peer:?} begins with {pid:?}"));
    let (_domain, user) = account.split_once('\\').expect("as in HOST\\ana");
    assert_eq!(user.to_lowercase(), own_account().to_lowercase());
    drop(ana);
    served.stop();
}

#[test]
fn log_names_the_pipe_peers_process_and_user() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none", "--log", "json"]);
    served.unauthenticated().log_in("ana");
    let pid = format!("\"pid {} user ", std::process::id());
    wait_until("the login is logged", || served.log().contains(&pid));
    served.stop();
}

#[test]
fn servers_own_user_may_stop_it_in_any_role() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none", "--default-role", "leitor"]);
    let mut ana = served.unauthenticated();
    assert_eq!(ana.log_in("ana").text("role"), "leitor");
    ana.send(&ask("shutdown", 1));
    assert_eq!(ana.expect("stopping").num("id"), 1);
    ana.expect_closing("shutdown");
    assert_eq!(served.wait(), Some(0), "{}", served.log());
}

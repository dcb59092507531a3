//! The sources of a reload: a signal, the file, and the flags and variables of the start.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::Configured;
use crate::support::{Served, Stop, arauto, finish, os, spawn, wait_until, watchdog};

fn hang_up(server: &Served) {
    let pid = i32::try_from(server.child.id()).expect("a process has an id");
    let pid = Pid::from_raw(pid).expect("a process has an id");
    kill_process(pid, Signal::HUP).expect("it runs");
}

#[test]
fn sighup_reloads_the_settings_as_the_command_does() {
    let _watchdog = watchdog();
    let server = Configured::new("patterns = 7\n", &[]);
    server.write("patterns = 8\narbiters = 2\n");
    hang_up(&server.served);
    wait_until("it has reloaded", || {
        server.served.log().contains("settings reloaded")
    });
    let log = server.served.log();
    let lines = [
        "setting changed key=\"patterns\" from=\"7\" to=\"8\"",
        "setting needs a restart to change key=\"arbiters\" running=\"1\" wanted=\"2\"",
        "settings reloaded changed=1 restart=1",
    ];
    for line in lines {
        assert!(log.contains(line), "{line} is not in {log}");
    }
    server.write("patterns = 9\nunknown = 1\n");
    hang_up(&server.served);
    wait_until("it is refused", || {
        server.served.log().contains("settings not reloaded")
    });
    let changed = server.reload_well("patterns = 9\n");
    assert_eq!(changed, "patterns: 8 -> 9\n");
    server.served.stop();
}

#[test]
fn flag_of_the_start_stays_above_the_file() {
    let _watchdog = watchdog();
    let server = Configured::new("patterns = 7\n", &["--cursors", "3"]);
    let printed = server.reload_well("patterns = 8\ncursors = 4\n");
    assert_eq!(printed, "patterns: 7 -> 8\n");
    let mut by_json = server.command(&["reload", "--json"]);
    server.write("patterns = 8\nlog = \"json\"\n");
    let answer: Value =
        serde_json::from_str(&finish(&mut by_json, "").expect_success()).expect("it is json");
    assert_eq!(answer["changed"], serde_json::json!([]));
    assert_eq!(
        answer["restart"],
        serde_json::json!([{"key": "log", "from": "\"human\"", "to": "\"json\""}])
    );
    server.served.stop();
}

#[test]
fn report_of_the_stop_goes_where_the_reloaded_file_says() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (endpoint, admin) = (
        os::endpoint(folder.path(), "s"),
        os::endpoint(folder.path(), "a"),
    );
    let text = |report: &str| {
        format!(
            "listen = [\"{endpoint}\"]\nadmin = \"{admin}\"\ndata = \"none\"\nreport = {report:?}\n"
        )
    };
    let (file, first, second) = (path("arauto.toml"), path("1.json"), path("2.json"));
    std::fs::write(&file, text(&first)).expect("the folder is ours");
    let child = spawn(&mut arauto(&["serve", "--no-console", "--config", &file]));
    let reload = || finish(&mut arauto(&["reload", "--admin", &admin.to_string()]), "");
    let keep = tempfile::tempdir().expect("a folder can be made");
    let mut served = Served::once_listening(child, keep, endpoint.clone());
    std::fs::write(&file, text(&path("missing/3.json"))).expect("the folder is ours");
    reload().expect_failure(73, &["missing/3.json"]);
    std::fs::write(&file, text(&second)).expect("the folder is ours");
    let printed = reload().expect_success();
    assert!(printed.starts_with("report: "), "{printed}");
    served.send_stop(Stop::USUAL);
    assert_eq!(served.wait(), Some(0));
    let written = |path: &str| std::fs::metadata(path).is_ok();
    assert_eq!((written(&first), written(&second)), (false, true));
}

#[test]
fn replaced_token_is_asked_for_from_the_reload_on() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let token = folder.path().join("token");
    std::fs::write(&token, "muito segredo, um\n").expect("the folder is ours");
    let file = token.to_str().expect("it is UTF-8").to_owned();
    let served = Served::new(&[
        "--no-console",
        "--admin",
        "tcp:127.0.0.1:0",
        "--admin-token",
        &file,
    ]);
    let log = served.log();
    let (_, admin) = log
        .split_once("endpoint=tcp:127.0.0.1:")
        .expect("it is open");
    let port = admin.split_whitespace().next().expect("a port");
    let admin = format!("tcp:127.0.0.1:{port}");
    let old = folder.path().join("old");
    std::fs::copy(&token, &old).expect("the folder is ours");
    std::fs::write(&token, "muito segredo, dois\n").expect("the folder is ours");
    let with = |token: &std::path::Path| {
        let mut command = arauto(&["reload", "--admin", &admin, "--admin-token"]);
        command.arg(token);
        finish(&mut command, "")
    };
    with(&token).expect_failure(77, &["--admin-token"]);
    with(&old).expect_success();
    with(&old).expect_failure(77, &["--admin-token"]);
    with(&token).expect_success();
    served.stop();
}

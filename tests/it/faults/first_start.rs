//! SIGKILL during the first start on a data folder, and other processes that use the folder then.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::{Served, Stop, arauto, finish, os, run_by, wait_until, watchdog_for};

/// The calls before which a server is killed, and at least how often each of them is made: the
/// lock and the unfinished file get their modes, the file and the folder are synced, the file is
/// renamed, SQLite makes the index of its log, the socket listens.
const CALLS: [(&str, usize); 5] = [
    ("fchmod", 2),
    ("fsync", 2),
    ("renameat2", 1),
    ("ftruncate", 1),
    ("listen", 1),
];

fn serve(folder: &Path, socket: &str) -> Command {
    let mut command = arauto(&["serve", "--journal", "--no-console", "--listen"]);
    command.arg(os::endpoint(folder, socket).to_string());
    command.arg("--data").arg(folder.join("data"));
    command
}

fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary is built")
}

/// Starts a server that is killed before one of its threads makes `call` for the time `number`,
/// counted from 1. Returns whether it was killed. Otherwise it listened, and was stopped.
fn is_killed_before(folder: &Path, call: &str, number: usize) -> bool {
    let inject = format!("--inject={call}:signal=KILL:when={number}");
    let trace = format!("--trace={call}");
    let strace = [
        "strace",
        "--daemonize",
        "--follow-forks",
        "--output=/dev/null",
        &trace,
        &inject,
    ];
    let mut child = start(&mut run_by(&strace, serve(folder, "s")));
    let endpoint = os::endpoint(folder, "s");
    let mut ended = None;
    wait_until("the server is killed or listens", || {
        ended = child.try_wait().expect("it is a child");
        ended.is_some() || os::connect(&endpoint).is_ok()
    });
    if ended.is_none() {
        os::send_stop(child.id(), Stop::USUAL);
        ended = Some(child.wait().expect("it is a child"));
    }
    let ended = ended.expect("it was waited for");
    assert!(ended.success() || ended.signal() == Some(9), "{ended}");
    !ended.success()
}

/// Checks that there is no database, or a complete one. Works on a copy.
fn check_database(data: &Path, step: &str) {
    let database = data.join("arauto.db");
    if !database.exists() {
        return;
    }
    let copy = tempfile::tempdir().expect("a folder can be made");
    for name in ["arauto.db", "arauto.db-wal"] {
        let _ = std::fs::copy(data.join(name), copy.path().join(name)); // there may be no log
    }
    let connection = Connection::open(copy.path().join("arauto.db")).expect("it is a file");
    let checked = connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    assert_eq!(checked.as_deref(), Ok("ok"), "{step}");
    let sql = "SELECT (SELECT count(*) FROM stream), (SELECT count(*) FROM term),
                      (SELECT count(*) FROM account)";
    let counts = connection.query_row(sql, [], |row| {
        Ok([row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?])
    });
    assert_eq!(counts, Ok([1, 1, 0]), "{step}");
}

fn names(data: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(data).expect("it is there");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let name = entry.expect("readable").file_name();
        name.into_string().expect("it is text")
    };
    entries.map(name).collect()
}

#[test]
fn kill_at_each_step_of_a_first_start_is_harmless() {
    let _watchdog = watchdog_for(std::time::Duration::from_secs(180));
    if Command::new("strace").arg("-V").output().is_err() {
        let required = std::env::var_os("ARAUTO_REQUIRE_TOOLS").is_some();
        assert!(!required, "this test needs strace");
        eprintln!("SKIPPED: strace is not installed");
        return;
    }
    let mut unfinished = 0;
    for (call, least) in CALLS {
        for number in 1.. {
            let step = format!("{call} {number}");
            let folder = tempfile::tempdir().expect("a folder can be made");
            if !is_killed_before(folder.path(), call, number) {
                assert!(number > least, "there are fewer calls of {step}");
                break;
            }
            let data = folder.path().join("data");
            check_database(&data, &step);
            let left = |name: &String| name.contains("-unfinished-");
            unfinished += names(&data).iter().filter(|name| left(name)).count();

            let served = Served::within(folder, &["--journal", "--no-console"]);
            let found = names(&data);
            assert!(!found.iter().any(left), "{step}: {found:?}");
            assert!(served.unauthenticated().log_in("ana").flag("registered"));
            served.stop();
        }
    }
    assert!(unfinished >= 3, "before its mode, its sync and its rename");
}

#[test]
fn servers_started_at_once_on_a_new_folder_exclude_each_other() {
    let _watchdog = watchdog_for(std::time::Duration::from_secs(120));
    for _ in 0..5 {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut servers = ["a", "b"].map(|socket| start(&mut serve(folder.path(), socket)));
        let mut refused = None;
        wait_until("one of them ends", || {
            refused = servers.iter_mut().position(|server| {
                let ended = server.try_wait().expect("it is a child");
                ended.is_some_and(|ended| ended.code() == Some(73))
            });
            refused.is_some()
        });
        let other = 1 - refused.expect("it was waited for");
        let endpoint = os::endpoint(folder.path(), ["a", "b"][other]);
        wait_until("the other one listens", || os::connect(&endpoint).is_ok());
        os::send_stop(servers[other].id(), Stop::USUAL);
        let ended = servers[other].wait().expect("it is a child");
        assert!(ended.success(), "{ended}");
    }
}

#[test]
fn account_added_during_a_first_start_is_kept() {
    let _watchdog = watchdog_for(std::time::Duration::from_secs(120));
    for _ in 0..5 {
        let folder: TempDir = tempfile::tempdir().expect("a folder can be made");
        let data = folder.path().join("data");
        let users = |arguments: &[&str]| {
            let mut command = arauto(&["users", "--data"]);
            command.arg(&data).args(arguments);
            command
        };
        let mut adding = start(&mut users(&["add", "ana"]));
        let served = Served::within(folder, &["--no-console"]);
        assert!(adding.wait().expect("it is a child").success());
        assert!(!served.unauthenticated().log_in("ana").flag("registered"));
        assert!(
            finish(&mut users(&["list"]), "")
                .expect_success()
                .contains("ana")
        );
        served.stop();
    }
}

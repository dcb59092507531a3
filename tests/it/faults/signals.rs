//! Signals at moments when a server does something else, and locks of other processes.

use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Stdio};

use arauto::{Phase, SessionRecord};
use rusqlite::Connection;
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tempfile::TempDir;

use crate::support::{Served, Stop, arauto, os, run_by, wait_until, watchdog};

/// Whether the process reads its signals from a descriptor (signalfd(2)).
fn hears_signals(child: &Child) -> bool {
    let Ok(descriptors) = std::fs::read_dir(format!("/proc/{}/fd", child.id())) else {
        return false;
    };
    let mut targets = descriptors.filter_map(|descriptor| descriptor.ok()?.path().read_link().ok());
    targets.any(|target| target.as_os_str() == "anon_inode:[signalfd]")
}

/// A server that waits, while it starts, for a lock that another process holds.
fn starting_behind_a_lock(budget: &str) -> (Child, TempDir, Connection) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let data = folder.path().join("data");
    arauto::internal::open_data_folder(&data)
        .and_then(|folder| folder.database())
        .expect("the folder is ours");
    let other = Connection::open(data.join("arauto.db")).expect("it is a database");
    other
        .execute_batch("CREATE TABLE other (x); BEGIN EXCLUSIVE")
        .expect("nobody else has it");
    let log = File::create(folder.path().join("log")).expect("the folder is ours");
    let mut command = arauto(&["serve", "--no-console", "--drain-timeout", budget]);
    command.arg("--listen");
    command.arg(os::endpoint(folder.path(), "s").to_string());
    command.arg("--data").arg(&data);
    command
        .arg("--report")
        .arg(folder.path().join("report.json"));
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the binary is built");
    (child, folder, other)
}

#[test]
fn signal_during_the_start_abandons_it_with_exit_0() {
    let _watchdog = watchdog();
    let (mut child, folder, _lock) = starting_behind_a_lock("10m");
    wait_until("it hears signals", || hears_signals(&child));
    os::send_stop(child.id(), Stop::USUAL);
    let code = child.wait().expect("it is a child").code();
    let log = std::fs::read_to_string(folder.path().join("log")).expect("it is there");
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("listening"), "it never served: {log}");
    // At the very start the server may not have read its options yet.
    if let Ok(text) = std::fs::read_to_string(folder.path().join("report.json")) {
        let report: arauto::Report = serde_json::from_str(&text).expect("it is a report");
        assert_eq!((report.exit, report.trouble), (0, Vec::new()));
    }
}

#[test]
fn signals_of_one_cause_count_once() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none"]);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let mut rui = served.unauthenticated();
    rui.log_in("rui");
    let body = "x".repeat(64 << 10);
    for id in 0..40 {
        rui.publish(id, &body);
        rui.skip_to("published");
    }
    // As timeout(1) does: its process, then the whole group.
    served.send_stop(Stop::Terminate);
    served.send_stop(Stop::Interrupt);
    served.send_stop(Stop::Terminate);
    rui.skip_to("closing");
    drop(rui);
    // A reader that was busy until now gets everything.
    let frames = ana.until("closing");
    ana.expect_end();
    let messages = frames.iter().filter(|frame| frame.is("message")).count();
    assert_eq!(messages, 40);
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    assert!(served.report().sessions.iter().all(SessionRecord::is_whole));
}

/// A server with a broadcast in its write-ahead log, and another process that reads there.
fn served_behind_a_reader(budget: &str) -> (Served, Connection) {
    let served = Served::new(&["--no-console", "--journal", "--drain-timeout", budget]);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let path = served.folder.path().join("data/arauto.db");
    let other = Connection::open(path).expect("it is a database");
    other.execute_batch("BEGIN").expect("it is read");
    other
        .query_row("SELECT count(*) FROM journal", [], |_| Ok(()))
        .expect("it is read");
    ana.publish(1, "bom dia"); // the reader is behind this
    ana.skip_to("published");
    ana.fim();
    (served, other)
}

#[test]
fn stop_with_a_foreign_database_reader_keeps_its_budget() {
    let _watchdog = watchdog();
    let (mut served, other) = served_behind_a_reader("1s");
    served.send_stop(Stop::USUAL);
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    drop(other);
    let report = served.report();
    let store = report.phases.last().expect("it was gone through");
    assert_eq!((store.phase, store.in_time), (Phase::Store, true));
    assert!(
        served.log().contains("checkpoint is incomplete"),
        "{}",
        served.log()
    );
}

/// A terminal, as the program that shows it and as the programs on it see it.
fn terminal() -> (OwnedFd, File) {
    let shown = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are terminals");
    grantpt(&shown).expect("it is ours");
    unlockpt(&shown).expect("it is ours");
    let name = ptsname(&shown, Vec::new()).expect("it has a name");
    let on_it = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(OFlags::NOCTTY.bits().cast_signed())
        .open(name.to_str().expect("it is ascii"))
        .expect("it is ours");
    (shown, on_it)
}

#[test]
fn server_in_a_terminals_background_stops_normally() {
    let _watchdog = watchdog();
    let (_shown, on_it) = terminal();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let endpoint = os::endpoint(folder.path(), "s");
    let mut serve = arauto(&["serve", "--no-console", "--data", "none", "--listen"]);
    serve.arg(endpoint.to_string()).arg("--report");
    serve.arg(folder.path().join("report.json"));
    // A shell with job control: what it starts in the background may not change the terminal.
    let script = "\"$0\" \"$@\" & echo $! > \"$PID.new\"; mv \"$PID.new\" \"$PID\"; wait";
    let mut shell = run_by(&["setsid", "--ctty", "sh", "-mc", script], serve);
    shell.env("PID", folder.path().join("pid"));
    let log = File::create(folder.path().join("log")).expect("the folder is ours");
    let mut shell = shell
        .stdin(on_it)
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("there is a shell");
    wait_until("the server listens", || os::connect(&endpoint).is_ok());
    let pid = folder.path().join("pid");
    wait_until("the shell tells the process id", || pid.exists());
    let pid = std::fs::read_to_string(pid).expect("it is there");
    os::send_stop(pid.trim().parse().expect("it is a process id"), Stop::USUAL);
    let report = folder.path().join("report.json");
    wait_until("the report is written", || report.exists());
    shell.wait().expect("it is a child");
}

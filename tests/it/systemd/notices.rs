//! The notices of a server to its service manager.

use rustix::process::{Pid, Signal, kill_process};
use rustix::time::{ClockId, clock_gettime};

use super::notify_socket::{NotifySocket, value};
use crate::support::{Served, Stop, arauto, finish, os, spawn, watchdog};

/// Starts a server that notifies this socket, and waits until it has said that it is ready.
fn serve(socket: &NotifySocket) -> Served {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let endpoint = os::endpoint(folder.path(), "s");
    let mut command = arauto(&["serve", "--no-console", "--data", "none", "--listen"]);
    command.arg(endpoint.to_string());
    command.env("NOTIFY_SOCKET", socket.address());
    let server = Served::starting(spawn(&mut command), folder, endpoint);
    socket.wait_for("the server is ready", 0, |notice| {
        notice.starts_with("READY=1\n")
    });
    server
}

fn reload(server: &Served) {
    let pid = i32::try_from(server.child.id())
        .ok()
        .and_then(Pid::from_raw);
    kill_process(pid.expect("a process has an id"), Signal::HUP).expect("it runs");
}

fn monotonic_usec() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1000
}

#[test]
fn service_manager_is_told_of_each_step_of_a_server() {
    let _watchdog = watchdog();
    for socket in [
        NotifySocket::with_path(),
        NotifySocket::with_abstract_name(),
    ] {
        let mut server = serve(&socket);
        let is_status = |notice: &str, sessions, head| {
            let status = format!("serving; sessions: {sessions}, head: {head}");
            value(notice, "STATUS") == Some(&status)
        };
        let (_, seen) = socket.wait_for("the status at the start", 1, |notice| {
            is_status(notice, 0, 0)
        });
        let mut ana = server.unauthenticated();
        ana.log_in("ana"); // the broadcast `joined` is the first
        socket.wait_for("the status with a session", seen, |notice| {
            is_status(notice, 1, 1)
        });

        let (seen, before) = (socket.received().len(), monotonic_usec());
        reload(&server);
        let (notice, seen) = socket.wait_for("a reload begins", seen, |notice| {
            value(notice, "RELOADING") == Some("1")
        });
        let began = value(&notice, "MONOTONIC_USEC").expect("it has the time");
        let began: i64 = began.parse().expect("a number");
        assert!((before..=monotonic_usec()).contains(&began), "{notice}");
        let (_, seen) = socket.wait_for("the reload is over", seen, |notice| {
            value(notice, "READY") == Some("1")
        });

        drop(ana);
        server.send_stop(Stop::USUAL);
        let (notice, _) = socket.wait_for("a stop begins", seen, |notice| {
            value(notice, "STOPPING") == Some("1")
        });
        assert_extends(&notice);
        assert_eq!(server.wait(), Some(0), "{:?}", socket.received());
        let failed = socket
            .received()
            .into_iter()
            .find(|notice| notice.contains("EXIT_STATUS"));
        assert_eq!(failed, None);
    }
}

/// Asserts that the notice asks for more time.
#[track_caller]
fn assert_extends(notice: &str) {
    let micros = value(notice, "EXTEND_TIMEOUT_USEC").expect("it asks for time");
    assert!(
        micros.parse::<u32>().expect("a number") > 5_000_000,
        "{notice}"
    );
}

#[test]
fn stop_that_waits_for_a_reader_asks_for_its_phases_time() {
    let _watchdog = watchdog();
    let socket = NotifySocket::with_path();
    let mut server = serve(&socket);
    let mut ana = server.unauthenticated();
    ana.log_in("ana");
    server.send_stop(Stop::USUAL);
    // Its last frames are not read, so the stop cannot go on.
    let (notice, _) = socket.wait_for("the stop waits", 1, |notice| {
        value(notice, "STATUS").is_some_and(|status| status.starts_with("stopping: phase "))
    });
    assert_extends(&notice);
    drop(ana);
    server.wait();
}

#[test]
fn start_that_fails_tells_its_reason_and_exit_code() {
    let _watchdog = watchdog();
    let socket = NotifySocket::with_path();
    let mut command = arauto(&["serve", "--no-console", "--data", "none"]);
    command
        .args(["--listen", "systemd:web"])
        .env("NOTIFY_SOCKET", socket.address());
    finish(&mut command, "").expect_failure(78, &["systemd:web"]);
    let received = socket.received();
    let [notice] = &received[..] else {
        panic!("{received:?}");
    };
    assert!(value(notice, "STATUS").is_some_and(|status| status.contains("systemd:web")));
    assert_eq!(value(notice, "EXIT_STATUS"), Some("78"), "{notice}");
}

//! The watchdog (sd_watchdog_enabled(3)): fed while every part of the server answers, and only then.

use std::fs::File;
use std::process::Command;

use tempfile::TempDir;

use super::notify_socket::NotifySocket;
use crate::admin::http;
use crate::support::{HungDisk, Served, Stop, arauto, os, wait_until, watchdog};

/// The time within which the watchdog is to be fed: it is fed four times as often.
const LIMIT_USEC: &str = "400000";

fn feeds(socket: &NotifySocket) -> usize {
    let received = socket.received();
    received
        .iter()
        .filter(|notice| *notice == "WATCHDOG=1\n")
        .count()
}

/// Starts a server that notifies this socket, and waits until it is ready.
fn serve(
    folder: TempDir,
    socket: &NotifySocket,
    arguments: &[&str],
    alter: impl FnOnce(Command) -> Command,
) -> Served {
    let endpoint = os::endpoint(folder.path(), "s");
    let mut command = arauto(&["serve", "--no-console", "--listen", &endpoint.to_string()]);
    command.args(arguments);
    command.arg("--data").arg(folder.path().join("data"));
    command.env("NOTIFY_SOCKET", socket.address());
    let log = File::create(folder.path().join("log")).expect("the folder is ours");
    let child = alter(command).stderr(log).spawn();
    let server = Served::starting(child.expect("the binary is built"), folder, endpoint);
    let is_ready = |notice: &str| notice.starts_with("READY=1\n");
    socket.wait_for("the server is ready", 0, is_ready);
    server
}

#[test]
fn watchdog_is_fed_only_while_the_disk_works() {
    let _watchdog = watchdog();
    let (socket, disk) = (NotifySocket::with_path(), HungDisk::new());
    let folder = tempfile::tempdir().expect("a folder can be made");
    let admin = os::endpoint(folder.path(), "admin");
    let arguments = ["--journal", "--admin", &admin.to_string()];
    let mut server = serve(folder, &socket, &arguments, |mut command| {
        command.env("WATCHDOG_USEC", LIMIT_USEC);
        disk.under(command)
    });
    wait_until("it is fed some times", || feeds(&socket) > 3);

    let mut ana = server.unauthenticated();
    ana.log_in("ana");
    disk.hang();
    ana.publish(1, "bom dia");
    disk.wait_until_hung();
    let silent = "part of the server does not answer; watchdog not fed part=\"store\"";
    wait_until("the store is found silent", || {
        server.log().contains(silent)
    });
    let fed = feeds(&socket);
    // Each answer waits 2 s for the store, in which a timer would feed 20 times.
    for _ in 0..2 {
        assert_eq!(http::get(&admin, "/livez").status, 503);
    }
    assert_eq!(feeds(&socket), fed);

    disk.release();
    wait_until("it is fed again", || feeds(&socket) > fed);
    let again = "part of the server answers again";
    wait_until("it is in the log", || server.log().contains(again));
    ana.skip_to("published");
    drop(ana);
    server.send_stop(Stop::USUAL);
    assert_eq!(server.wait(), Some(0), "{}", server.log());
}

#[test]
fn watchdog_of_another_process_is_not_fed() {
    let _watchdog = watchdog();
    let socket = NotifySocket::with_path();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut server = serve(folder, &socket, &[], |mut command| {
        command
            .env("WATCHDOG_USEC", "4000")
            .env("WATCHDOG_PID", "1");
        command
    });
    server.send_stop(Stop::USUAL);
    assert_eq!(server.wait(), Some(0), "{}", server.log());
    assert_eq!(feeds(&socket), 0, "{:?}", socket.received());
}

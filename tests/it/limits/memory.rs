//! Bounds on the memory that clients can occupy before the login.

use std::fs::{File, OpenOptions};
use std::io::Write;

use rustix::fs::{CWD, FileType, Mode, OFlags, fcntl_setfl, mknodat};

use crate::support::{Frame, FrameClient, Served, ask, by_shell, watchdog};

/// The memory that the server holds, in KiB.
fn resident(served: &Served) -> usize {
    let path = format!("/proc/{}/status", served.child.id());
    let status = std::fs::read_to_string(path).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse().ok())
        .expect("linux tells it")
}

/// A pipe that is full and not read while this value lives.
fn full_pipe(path: &std::path::Path) -> File {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("the folder is ours");
    let both = OpenOptions::new().read(true).write(true).open(path);
    let mut pipe = both.expect("it has been made");
    fcntl_setfl(&pipe, OFlags::NONBLOCK).expect("it is a pipe");
    while pipe.write(&[b'.'; 4096]).is_ok() {}
    while pipe.write(b".").is_ok() {}
    pipe
}

#[test]
fn bad_frames_with_a_blocked_log_grow_no_memory() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("pipe");
    let _full = full_pipe(&path);
    let redirection = format!("2>{}", path.display());
    let own = tempfile::tempdir().expect("a folder can be made");
    let served = Served::with_command(own, &["--no-console", "--data", "none"], |command| {
        by_shell(":", command, &redirection)
    });
    let bad = Frame::new(&"\u{1b}".repeat(16_000), [("id", 1.into())]).bytes();
    let before = resident(&served);
    for _ in 0..500 {
        let mut unauthenticated = served.unauthenticated();
        unauthenticated.send_bytes(&bad);
        unauthenticated.expect_error("bad-frame");
        unauthenticated.expect_closing("bad-frame");
    }
    // Quoted whole, with its escapes, each was 80 KiB of log.
    let grown = resident(&served).saturating_sub(before);
    assert!(grown < 12 << 10, "{grown} KiB");
}

#[test]
fn clients_pinging_before_login_unread_hold_little_memory() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console", "--data", "none"]);
    let pings: Vec<u8> = (0..10_000).flat_map(|id| ask("ping", id).bytes()).collect();
    let before = resident(&served);
    let unauthenticated: Vec<FrameClient> = (0..200).map(|_| served.connected()).collect();
    let sending: Vec<_> = unauthenticated
        .into_iter()
        .map(|mut unauthenticated| {
            let pings = pings.clone();
            // It sends as much as the system takes, and goes when the server cuts it off.
            std::thread::spawn(move || drop(unauthenticated.try_send(&pings)))
        })
        .collect();
    // The last of them has been served as far as it ever is.
    let mut last = served.unauthenticated();
    last.ping();
    let grown = resident(&served).saturating_sub(before);
    assert!(grown < 200 * 32, "{grown} KiB");
    served.stop();
    sending
        .into_iter()
        .for_each(|sent| sent.join().expect("it does not panic"));
}

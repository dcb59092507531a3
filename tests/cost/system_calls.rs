//! The system calls of the server, as strace(1) sees them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::Loop;

const ROUNDS: usize = 200;

/// A server whose system calls are written to a file.
struct Traced {
    child: Child,
    folder: tempfile::TempDir,
}

impl Traced {
    /// Returns `None` where strace is missing and not required.
    fn start() -> Option<Traced> {
        if Command::new("strace").arg("-V").output().is_err() {
            let required = std::env::var_os("ARAUTO_REQUIRE_TOOLS").is_some();
            assert!(!required, "this test needs strace");
            eprintln!("SKIPPED: strace is not installed");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder can be made");
        let endpoint = format!("unix:{}", folder.path().join("s").display());
        let child = Command::new("strace")
            .args(["--follow-forks", "--quiet=all", "--string-limit=64"])
            .arg("--output")
            .arg(folder.path().join("calls"))
            .arg(env!("CARGO_BIN_EXE_arauto"))
            .args(["serve", "--no-console", "--data", "none", "--listen"])
            .arg(endpoint)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("strace is there");
        Some(Traced { child, folder })
    }

    fn socket(&self) -> std::path::PathBuf {
        let socket = self.folder.path().join("s");
        let began = Instant::now();
        while UnixStream::connect(&socket).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "it starts");
            std::thread::sleep(Duration::from_millis(10));
        }
        socket
    }

    /// Stops the server, and returns the calls between the reads of two frames, with their counts.
    fn calls_between(mut self, first: &str, last: &str) -> BTreeMap<String, usize> {
        let strace = self.child.id();
        let children = fs::read_to_string(format!("/proc/{strace}/task/{strace}/children"));
        let server = children.expect("strace runs the server");
        let told = Command::new("kill").arg(server.trim()).status();
        assert!(told.expect("it is a command").success(), "the server runs");
        self.child.wait().expect("strace ends with the server");
        count(&self.folder.path().join("calls"), first, last)
    }
}

/// Counts the calls of the thread that reads the two frames, from the first read on and without
/// the last one.
fn count(calls: &Path, first: &str, last: &str) -> BTreeMap<String, usize> {
    let calls = fs::read_to_string(calls).expect("strace has written it");
    let reads = |line: &&str, frame| line.contains("recvfrom(") && line.contains(frame);
    let begin = calls.lines().find(|line| reads(line, first));
    let (thread, _) = begin
        .and_then(|line| line.split_once(' '))
        .expect("the first frame was read");
    let of_thread = calls
        .lines()
        .filter(|line| line.starts_with(&format!("{thread} ")));
    let between = of_thread
        .skip_while(|line| !reads(line, first))
        .take_while(|line| !reads(line, last));
    let mut counts = BTreeMap::new();
    for line in between {
        let call = line[thread.len()..].trim_start();
        // A call that another thread's line interrupts has two lines.
        if let Some((name, _)) = call.split_once('(')
            && !call.starts_with('<')
        {
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    }
    counts
}

/// Fails unless each round has made so many of these calls, and hardly any others.
fn assert_calls(what: &str, calls: &BTreeMap<String, usize>, expected: &[(&str, usize)]) {
    println!("{what}: {calls:?} in {ROUNDS} rounds");
    for (name, each) in expected {
        let count = calls.get(*name).copied().unwrap_or(0);
        let exact = each * ROUNDS;
        assert!(
            (exact..=exact + ROUNDS / 50).contains(&count),
            "{what}: {count} times {name} in {ROUNDS} rounds: {calls:?}"
        );
    }
    let total: usize = calls.values().sum();
    let wanted: usize = expected.iter().map(|(_, each)| each * ROUNDS).sum();
    assert!(
        total <= wanted + ROUNDS / 20,
        "{what}: {total} calls in {ROUNDS} rounds: {calls:?}"
    );
}

#[test]
fn request_costs_one_read_one_write_and_one_wait() {
    let Some(server) = Traced::start() else {
        return;
    };
    let mut client = Loop::begin(&server.socket(), 0);
    client.request("first");
    for _ in 1..ROUNDS {
        client.request("bom dia");
    }
    client.request("last");
    drop(client);
    let calls = server.calls_between("first", "last");
    let expected = [("recvfrom", 1), ("sendto", 1), ("epoll_wait", 1)];
    assert_calls("a request", &calls, &expected);
}

#[test]
fn publish_costs_one_read_one_wait_and_one_write_for_each_client() {
    let Some(server) = Traced::start() else {
        return;
    };
    let mut clients = Loop::begin(&server.socket(), 3);
    clients.publish("first");
    for _ in 1..ROUNDS {
        clients.publish("bom dia");
    }
    clients.publish("last");
    drop(clients);
    let calls = server.calls_between("first", "last");
    // The publisher's `published` and its own message go together.
    let expected = [
        ("recvfrom", 1),
        ("sendto", 3),
        ("writev", 1),
        ("epoll_wait", 1),
    ];
    assert_calls("a publish to three readers", &calls, &expected);
}

//! The system calls of the server, recorded by strace(1).

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::{Served, Stop, run_by, wait_until};
use crate::{ClosedLoop, alone};

const ROUNDS: usize = 200;

/// The number of calls by their names.
type Counts = BTreeMap<String, usize>;

/// A server whose system calls are written to a file.
struct TracedServer {
    served: Served,
    calls: PathBuf,
}

impl TracedServer {
    /// Returns `None` if strace is neither installed nor required.
    fn start() -> Option<TracedServer> {
        if Command::new("strace").arg("-V").output().is_err() {
            let required = std::env::var_os("ARAUTO_REQUIRE_TOOLS").is_some();
            assert!(!required, "this test needs strace");
            eprintln!("SKIPPED: strace is not installed");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder can be made");
        let calls = folder.path().join("calls");
        let output = calls.to_str().expect("the path is text");
        // As a daemon, strace is not the parent of the server.
        let strace = [
            "strace",
            "--daemonize",
            "--follow-forks",
            "--string-limit=64",
            "--output",
            output,
        ];
        let arguments = ["--no-console", "--data", "none"];
        let served = Served::with_command(folder, &arguments, |command| run_by(&strace, command));
        Some(TracedServer { served, calls })
    }

    fn clients(&self, readers: usize) -> ClosedLoop {
        ClosedLoop::begin(readers, || self.served.unauthenticated())
    }

    /// Stops the server. Returns the calls of the thread that received the frames `first` and
    /// `last`, from the first call that received `first` to the one before `last`.
    fn calls_between(mut self, first: &str, last: &str) -> Counts {
        let server = self.served.child.id();
        self.served.send_stop(Stop::USUAL);
        self.served.wait();
        let read = || fs::read_to_string(&self.calls).expect("strace writes it");
        wait_until("strace has written everything", || {
            has_exited(&read(), server)
        });
        count(&read(), first, last)
    }
}

/// Whether the calls have the end of this process. strace pads short numbers with blanks.
fn has_exited(calls: &str, process: u32) -> bool {
    calls.lines().any(|line| {
        let (number, event) = line.split_once(' ').unwrap_or_default();
        number == process.to_string() && event.trim_start().starts_with("+++ exited with")
    })
}

fn count(calls: &str, first: &str, last: &str) -> Counts {
    let receives = |line: &&str, frame| line.contains("recvfrom(") && line.contains(frame);
    let begin = calls.lines().find(|line| receives(line, first));
    let (thread, _) = begin
        .and_then(|line| line.split_once(' '))
        .expect("the first frame was received");
    let of_thread = calls
        .lines()
        .filter_map(|line| line.strip_prefix(thread)?.strip_prefix(' '));
    let between = of_thread
        .skip_while(|line| !receives(line, first))
        .take_while(|line| !receives(line, last));
    let mut counts = Counts::new();
    for line in between {
        // The second line of an interrupted call has no parenthesis before its `<`.
        if let Some((name, _)) = line.trim_start().split_once('(')
            && !name.starts_with('<')
        {
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    }
    counts
}

/// Asserts that each round made exactly these calls. A few more in all rounds together are
/// allowed: timers, and growing memory.
#[track_caller]
fn assert_calls(what: &str, counts: &Counts, expected: &[(&str, usize)]) {
    println!("{what}: {counts:?} in {ROUNDS} rounds");
    for (name, each) in expected {
        let count = counts.get(*name).copied().unwrap_or(0);
        let exact = each * ROUNDS;
        assert!(
            (exact..=exact + ROUNDS / 50).contains(&count),
            "{what}: {count} times {name} in {ROUNDS} rounds: {counts:?}"
        );
    }
    let all: usize = counts.values().sum();
    let wanted: usize = expected.iter().map(|(_, each)| each * ROUNDS).sum();
    assert!(
        all <= wanted + ROUNDS / 20,
        "{what}: {all} calls in {ROUNDS} rounds: {counts:?}"
    );
}

#[test]
fn request_costs_one_read_one_write_and_one_wait() {
    let _alone = alone();
    let Some(server) = TracedServer::start() else {
        return;
    };
    let mut clients = server.clients(0);
    clients.request("first");
    for _ in 1..ROUNDS {
        clients.request("bom dia");
    }
    clients.request("last");
    drop(clients);
    let counts = server.calls_between("first", "last");
    let expected = [("recvfrom", 1), ("sendto", 1), ("epoll_wait", 1)];
    assert_calls("a request", &counts, &expected);
}

#[test]
fn publish_costs_one_read_one_wait_and_one_write_a_client() {
    let _alone = alone();
    let Some(server) = TracedServer::start() else {
        return;
    };
    let mut clients = server.clients(3);
    clients.publish("first");
    for _ in 1..ROUNDS {
        clients.publish("bom dia");
    }
    clients.publish("last");
    drop(clients);
    let counts = server.calls_between("first", "last");
    // One writev sends the publisher both its answer and the message.
    let expected = [
        ("recvfrom", 1),
        ("sendto", 3),
        ("writev", 1),
        ("epoll_wait", 1),
    ];
    assert_calls("a publish to three readers", &counts, &expected);
}

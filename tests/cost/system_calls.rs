//! The system calls of the server, recorded by strace(1).

use std::collections::BTreeMap;

use crate::call_loop::CallLoop;
use crate::traced::TracedServer;
use crate::{ClosedLoop, alone};

const ROUNDS: usize = 200;

/// The number of calls by their names.
type Counts = BTreeMap<String, usize>;

/// Starts a server without a data folder. Returns `None` if strace is neither installed nor
/// required.
fn start() -> Option<TracedServer> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    TracedServer::within(folder, &["--string-limit=64"], &["--data", "none"])
}

fn clients(server: &TracedServer, readers: usize) -> ClosedLoop {
    ClosedLoop::begin(readers, || server.served.unauthenticated())
}

/// Stops the server. Returns the calls of the thread that received the frames `first` and `last`,
/// from the first call that received `first` to the one before `last`.
fn calls_between(server: TracedServer, first: &str, last: &str) -> Counts {
    count(&server.stop().1, first, last)
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
    let Some(server) = start() else {
        return;
    };
    let mut clients = clients(&server, 0);
    clients.request("first");
    for _ in 1..ROUNDS {
        clients.request("bom dia");
    }
    clients.request("last");
    drop(clients);
    let counts = calls_between(server, "first", "last");
    let expected = [("recvfrom", 1), ("sendto", 1), ("epoll_wait", 1)];
    assert_calls("a request", &counts, &expected);
}

#[test]
fn publish_costs_one_read_one_wait_and_one_write_a_client() {
    let _alone = alone();
    let Some(server) = start() else {
        return;
    };
    let mut clients = clients(&server, 3);
    clients.publish("first");
    for _ in 1..ROUNDS {
        clients.publish("bom dia");
    }
    clients.publish("last");
    drop(clients);
    let counts = calls_between(server, "first", "last");
    // One writev sends the publisher both its answer and the message.
    let expected = [
        ("recvfrom", 1),
        ("sendto", 3),
        ("writev", 1),
        ("epoll_wait", 1),
    ];
    assert_calls("a publish to three readers", &counts, &expected);
}

#[test]
fn call_of_a_service_costs_two_reads_two_writes_and_two_waits() {
    let _alone = alone();
    let Some(server) = start() else {
        return;
    };
    let mut clients = CallLoop::begin(|| server.served.unauthenticated());
    clients.call("first");
    for _ in 1..ROUNDS {
        clients.call("bom dia");
    }
    clients.call("last");
    drop(clients);
    let counts = calls_between(server, "first", "last");
    // The request and its answer are received, and each is sent on before the next wait.
    let expected = [("recvfrom", 2), ("sendto", 2), ("epoll_wait", 2)];
    assert_calls("a call of a service", &counts, &expected);
}

//! Clients connect and leave for a long time, and must leave no resources behind.
//!
//! `ARAUTO_CHURN` sets the duration, as in `3m`. The server is measured when it is idle, first
//! after a warm-up: the buffers of threads, the allocator's pages and the log of broadcasts have
//! reached their size then.

use std::time::{Duration, Instant};

use crate::process::{MIB, Process, Resources};
use crate::support::{FrameClient, Served, Stop, login, watchdog_for};
use crate::{alone, serve};

/// The duration without `ARAUTO_CHURN`.
const SHORT: Duration = Duration::from_secs(20);

/// How often the server is measured; the first time ends the warm-up.
const PARTS: u32 = 4;

/// The number of concurrent clients.
const CLIENTS: u64 = 8;

/// The allowed growth of memory after the warm-up.
const GROWTH: u64 = MIB;

/// The sizes of the log and the journal, and the number of messages that fills both.
const LOG: &str = "1MiB";
const JOURNAL: &str = "4MiB";
const FILLING: u64 = 200;

/// The user of the logins with a wrong password.
const VICTIM: &str = "vitima";

fn time() -> Duration {
    match std::env::var("ARAUTO_CHURN") {
        Ok(time) => humantime::parse_duration(&time).expect("ARAUTO_CHURN is a time, as 3m"),
        Err(_) => SHORT,
    }
}

fn user(served: &Served, name: &str) -> FrameClient {
    let mut client = served.unauthenticated();
    client.log_in(name);
    client
}

/// Publishes until the log, the journal and the database's cache are full.
fn fill(client: &mut FrameClient) {
    for id in 0..FILLING {
        client.publish(id, &"x".repeat(50_000));
        client.skip_to("published");
    }
}

/// Sends requests and publishes, and waits for the answers.
fn work(client: &mut FrameClient) {
    for id in 0..10 {
        client.request(id, "olá");
        client.skip_to("reply");
        client.publish(id, &"x".repeat(1000));
        client.skip_to("published");
    }
}

/// Runs one session of a client; the kinds take turns.
fn visit(served: &Served, client: u64, visit: u64) {
    let name = format!("u{client}");
    match visit % 8 {
        0 => drop(served.connected()),
        1 => {
            let mut client = served.unauthenticated();
            let _ = client.try_send(&[0, 0, 0, 38, 0xa1, 0x65]); // the beginning of a login
        }
        2 => {
            let mut client = served.unauthenticated();
            let _ = client.try_send(&[0, 0, 0, 3, 0x80, 0x80, 0x80]);
            client.expect_error("bad-frame");
        }
        3 => {
            let mut client = served.unauthenticated();
            client.shut_write();
            client.expect_closing("disconnected");
        }
        4 => {
            let mut client = served.unauthenticated();
            client.send(&login(1, VICTIM, "errado"));
            let code = client.expect("error").text("code").to_owned();
            assert!(["bad-credentials", "throttled"].contains(&code.as_str()));
        }
        5 => drop(user(served, &name)),
        6 => {
            let mut client = user(served, &name);
            work(&mut client);
            client.publish(99, "without waiting for the answer");
        }
        _ => {
            let mut client = user(served, &name);
            work(&mut client);
            client.fim();
        }
    }
}

/// Runs clients until `until`, and returns the number of sessions.
fn churn(served: &Served, until: Instant) -> u64 {
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn(move || {
                    let mut visits = 0;
                    while Instant::now() < until {
                        visit(served, client, client + visits);
                        visits += 1;
                    }
                    visits
                })
            })
            .collect();
        let visits = clients.into_iter().map(|client| client.join());
        visits
            .map(|visits| visits.expect("the client has not panicked"))
            .sum()
    })
}

#[test]
fn long_churn_leaves_the_servers_resources_unchanged() {
    let (_alone, time) = (alone(), time());
    let _watchdog = watchdog_for(time * 2 + Duration::from_secs(60));
    let mut served = serve(&["--journal", "--log-bytes", LOG, "--retain-bytes", JOURNAL]);
    let process = Process::of(&served);
    let mut listener = user(&served, "ouvinte");
    fill(&mut listener);
    user(&served, VICTIM).fim();
    // The accounts are registered before, so that no hash is computed for them later.
    for client in 0..CLIENTS {
        user(&served, &format!("u{client}")).fim();
    }
    let listening = std::thread::spawn(move || {
        while listener.recv_item(|_| ()).is_some() {}
        listener.ended_whole()
    });
    let before = process.held();

    let began = Instant::now();
    let mut held = Vec::new();
    for part in 1..=PARTS {
        let visits = churn(&served, began + time * part / PARTS);
        held.push(process.at_rest(before));
        let now = held.last().expect("it was pushed");
        println!("after {:?}, {visits} visits more: {now}", began.elapsed());
    }
    process.has_let_threads_go(before);
    let (warm, last) = (held[0].memory, held[held.len() - 1].memory);
    let growth = last.saturating_sub(warm);
    assert!(growth < GROWTH, "the memory has grown by {growth} bytes");
    served.send_stop(Stop::USUAL);
    assert!(listening.join().expect("it only reads"), "it heard all");
    assert_eq!(served.wait(), Some(0), "{}", served.log());
}

/// Connects clients to the raw endpoint that leave without a broadcast, in batches: the memory of
/// sessions that overlap is not what they leave.
fn connect_and_go(endpoint: &std::path::Path, batches: usize, process: Process, before: Resources) {
    for _ in 0..batches {
        for _ in 0..1000 {
            let client = std::os::unix::net::UnixStream::connect(endpoint);
            drop(client.expect("the server listens"));
        }
        process.at_rest(before);
    }
}

#[test]
fn readers_gone_without_a_broadcast_leave_no_resources() {
    let _alone = alone();
    let _watchdog = watchdog_for(Duration::from_secs(180));
    let folder = tempfile::tempdir().expect("a folder can be made");
    let endpoint = folder.path().join("raw");
    let listen = format!("unix:{}?dialect=raw&direction=outbound", endpoint.display());
    let mut served = serve(&["--data", "none", "--listen", &listen]);
    let process = Process::of(&served);
    user(&served, "first").fim(); // from here on the server holds all that it keeps open
    let before = process.held();
    connect_and_go(&endpoint, 10, process, before);
    let warm = process.at_rest(before);
    connect_and_go(&endpoint, 20, process, before);
    let last = process.at_rest(before);
    let growth = last.memory.saturating_sub(warm.memory);
    println!("{warm}; 20,000 connects later: {last}");
    // A waker left by each client would take 32 MiB.
    assert!(growth < 8 * MIB, "the memory has grown by {growth} bytes");
    served.send_stop(Stop::USUAL);
    assert_eq!(served.wait(), Some(0), "{}", served.log());
}

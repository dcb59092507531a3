//! Clients that send without reading, or shut one side and stay.

use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::process::{MIB, Process, Resources};
use crate::support::{
    Frame, FrameClient, Served, ask, os, publish, request, text, wait_until, watchdog, watchdog_for,
};
use crate::{alone, serve};

/// The length of a body and the number of requests: 100 MB in total.
const BODY: usize = 100_000;
const REQUESTS: u64 = 1000;

/// The allowed growth of memory for a client that is no longer read from: its frames in the read
/// buffer, the answers that wait, and the log if it publishes.
const BUFFERS: u64 = 8 * MIB;
const LOG: u64 = 4 * MIB;

/// If no write succeeds for this long, the server has stopped reading. A publisher that waits for
/// stalled readers goes on after 1 s.
const BLOCKED: Duration = Duration::from_secs(2);

struct Target {
    served: Served,
    process: Process,
    witness: FrameClient,
    before: Resources,
}

impl Target {
    fn new() -> Target {
        Target::with(&[])
    }

    fn with(arguments: &[&str]) -> Target {
        let log = LOG.to_string();
        let served = serve(&[&["--data", "none", "--log-bytes", &log], arguments].concat());
        let process = Process::of(&served);
        user(&served, "lento").1.fim();
        let mut witness = user(&served, "ana").1;
        // The log and the buffers reach their size with this.
        for _ in 0..2 * LOG / BODY as u64 {
            witness.publish(1, &"x".repeat(BODY));
            witness.skip_to("published");
        }
        witness.ping();
        process.forget_peak();
        Target {
            before: process.held(),
            served,
            process,
            witness,
        }
    }

    /// Asserts that another client is served, and that the memory has grown by less than allowed.
    #[track_caller]
    fn assert_unharmed(&mut self, what: &str) {
        self.witness.request(2, "olá");
        self.witness.skip_to("reply");
        let grown = self.process.peak().saturating_sub(self.before.memory);
        println!("{what}: the memory grew by {} KiB at most", grown / 1024);
        assert!(grown < BUFFERS, "{what}: it grew by {grown} bytes");
    }

    fn stop(mut self) {
        self.witness.fim();
        drop(self.witness);
        self.served.stop();
    }
}

/// Connects a client that is logged in; returns its connection too.
fn user(served: &Served, name: &str) -> (UnixStream, FrameClient) {
    let stream = os::connect(served.endpoint()).expect("the server listens");
    let mut client = FrameClient::local(stream.try_clone().expect("a descriptor is free"));
    client.expect("welcome");
    client.log_in(name);
    (stream, client)
}

/// Sends frames until the server stops reading. Returns the number of bytes sent.
fn send_until_blocked(stream: &mut UnixStream, frames: impl Iterator<Item = Frame>) -> u64 {
    stream.set_nonblocking(true).expect("it is a socket");
    let mut sent = 0;
    for frame in frames {
        let bytes = frame.bytes();
        let mut rest = &bytes[..];
        let mut moved = Instant::now();
        while !rest.is_empty() {
            match stream.write(rest) {
                Ok(length) => {
                    (rest, sent) = (&rest[length..], sent + length as u64);
                    moved = Instant::now();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if moved.elapsed() > BLOCKED {
                        return sent;
                    }
                    std::thread::park_timeout(Duration::from_millis(1));
                }
                Err(error) => panic!("it is still open: {error}"),
            }
        }
    }
    sent
}

fn body() -> String {
    "x".repeat(BODY)
}

#[test]
fn unread_replies_stop_reading_of_100_mb_of_requests() {
    let (_alone, _watchdog) = (alone(), watchdog_for(Duration::from_secs(180)));
    let mut target = Target::new();
    let (mut stream, mut lento) = user(&target.served, "lento");
    let requests = (0..REQUESTS).map(|id| request(id, text(&body())));
    let sent = send_until_blocked(&mut stream, requests);
    println!("{sent} bytes of requests were taken");
    assert!(sent < 4 * MIB, "{sent} bytes were taken");
    target.assert_unharmed("100 MB of requests");

    // Once the client reads, each request is answered, in order.
    stream.set_nonblocking(false).expect("it is a socket");
    let whole = sent / request(0, text(&body())).bytes().len() as u64;
    let in_part = sent % request(0, text(&body())).bytes().len() as u64;
    let mut asking = stream.try_clone().expect("a descriptor is free");
    let asking = std::thread::spawn(move || {
        let cut = usize::try_from(in_part).expect("it is less than a frame");
        let rest = request(whole, text(&body())).bytes();
        asking.write_all(&rest[cut..]).expect("it is read");
        for id in whole + 1..REQUESTS {
            asking
                .write_all(&request(id, text(&body())).bytes())
                .expect("it is read");
        }
    });
    for id in 0..REQUESTS {
        assert_eq!(lento.skip_to("reply").num("id"), id);
    }
    asking.join().expect("all was read");
    lento.fim();
    target.assert_unharmed("100 MB of requests that were answered");
    drop((stream, lento));
    target.stop();
}

#[test]
fn publisher_that_never_reads_is_not_read_from() {
    let (_alone, _watchdog) = (alone(), watchdog());
    let mut target = Target::new();
    let (mut stream, lento) = user(&target.served, "lento");
    let endless = (0..).map(|id| publish(id, text("x")));
    let sent = send_until_blocked(&mut stream, endless);
    println!("{sent} bytes of small publishes were taken");
    target.assert_unharmed("publishes whose answers nobody reads");
    drop((stream, lento));
    // A client that leaves at the moment of the stop is the subject of another test.
    wait_until("its descriptor is free", || {
        target.process.descriptors() <= target.before.descriptors
    });
    target.stop();
}

#[test]
fn half_closed_client_holds_no_descriptor() {
    let (_alone, _watchdog) = (alone(), watchdog());
    let mut target = Target::new();
    let stay: Vec<(UnixStream, FrameClient)> = (0..100)
        .map(|_| {
            let (stream, mut client) = user(&target.served, "lento");
            for id in 0..10 {
                client.send(&ask("ping", id));
            }
            client.shut_write();
            (stream, client)
        })
        .collect();
    wait_until("their descriptors are free", || {
        target.process.descriptors() <= target.before.descriptors
    });
    for (_stream, mut client) in stay {
        client.skip_to("pong");
        let closing = client.skip_to("closing");
        assert_eq!(closing.text("reason"), "disconnected");
        assert_eq!(closing.num("accepted"), 10);
    }
    target.assert_unharmed("half-closed connections");
    target.stop();
}

#[test]
fn client_that_never_reads_frees_its_descriptor_in_time() {
    let (_alone, _watchdog) = (alone(), watchdog());
    let mut target = Target::with(&["--idle-timeout", "4s", "--drain-timeout", "1s"]);
    let (mut stream, client) = user(&target.served, "lento");
    let requests = (0..REQUESTS).map(|id| request(id, text(&body())));
    send_until_blocked(&mut stream, requests);
    client.shut_write(); // the server does not see it: it does not read from this client
    wait_until("its descriptor is free", || {
        target.witness.ping();
        target.process.descriptors() <= target.before.descriptors
    });
    target.assert_unharmed("a connection that is not read");
    drop((stream, client));
    target.stop();
}

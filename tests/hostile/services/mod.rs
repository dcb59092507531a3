//! Callers and responders of services that misbehave, beside others that do not.
//!
//! The others call one service, which two sessions answer, and keep the server busy. Their times
//! beside an attack are compared with those of the same calls without it.

mod floods;
mod responders;

use std::collections::HashMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arauto::Endpoint;
use serde_cbor::Value;

use crate::latency::{Times, assert_p99_at_most_doubles};
use crate::process::{MIB, Process};
use crate::serve;
use crate::support::{
    Frame, FrameClient, PASSWORD, Served, ask, finish, login, os, request, text, wait_until,
};

/// The service of the others.
const SERVICE: &str = "s";

/// The others, the calls of each at once, and in a round.
const CALLERS: usize = 8;
const WINDOW: usize = 8;
const CALLS: usize = 500;

const RESPONDERS: usize = 2;

/// The most calls that a responder of the others has in work.
const LIMIT: u64 = 16;

/// The time limit of a test.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long an answer to a call of the others counts.
const TIMEOUT: Duration = Duration::from_millis(500);

/// The allowed growth of memory: some frames of 1 MiB in buffers.
const BUFFERS: u64 = 16 * MIB;

/// A server, and those that use it as they should.
struct Others {
    served: Served,
    process: Process,
    callers: Vec<Caller>,
    responders: Vec<JoinHandle<()>>,
    replies: usize,
    timeouts: usize,
}

struct Caller {
    client: FrameClient,
    next: u64,
}

/// The ends of calls.
#[derive(Default)]
struct Measured {
    replies: Vec<Duration>,
    timeouts: usize,
}

/// An attack that goes on while the calls of the others are measured.
struct Attack<'a> {
    endpoint: &'a Endpoint,
    is_over: AtomicBool,
    began: Barrier,
}

impl Attack<'_> {
    /// Lets the measurement begin.
    fn begin(&self) {
        self.began.wait();
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn wait_for_the_end(&self) {
        wait_until("the attack is over", || self.is_over());
    }
}

impl Others {
    fn new() -> Others {
        let served = serve(&["--data", "none"]);
        let responder = |_| {
            let mut client = member(served.endpoint(), "rui");
            offer(&mut client, SERVICE, LIMIT);
            std::thread::spawn(move || answer_all(client))
        };
        let caller = |_| Caller {
            client: member(served.endpoint(), "ana"),
            next: 0,
        };
        // The attacker too has registered, so that no hash is computed later.
        member(served.endpoint(), "eva").fim();
        Others {
            process: Process::of(&served),
            responders: (0..RESPONDERS).map(responder).collect(),
            callers: (0..CALLERS).map(caller).collect(),
            replies: 0,
            timeouts: 0,
            served,
        }
    }

    /// Makes the calls of a round.
    fn measure(&mut self) -> Measured {
        let measured = std::thread::scope(|scope| {
            let callers = self.callers.iter_mut();
            let callers: Vec<_> = callers
                .map(|caller| scope.spawn(|| caller.make_calls()))
                .collect();
            let mut sum = Measured::default();
            for caller in callers {
                let measured = caller.join().expect("its checks passed");
                sum.replies.extend(measured.replies);
                sum.timeouts += measured.timeouts;
            }
            sum
        });
        self.replies += measured.replies.len();
        self.timeouts += measured.timeouts;
        measured
    }

    /// Makes the calls of a round beside an attack. Returns also the result of the attack.
    fn measure_beside<T: Send>(
        &mut self,
        attack: impl FnOnce(&Attack<'_>) -> T + Send,
    ) -> (Measured, T) {
        let endpoint = self.served.endpoint().clone();
        let attacking = Attack {
            endpoint: &endpoint,
            is_over: AtomicBool::new(false),
            began: Barrier::new(2),
        };
        std::thread::scope(|scope| {
            let attack = scope.spawn(|| attack(&attacking));
            attacking.begin();
            let measured = self.measure();
            attacking.is_over.store(true, Ordering::Relaxed);
            (measured, attack.join().expect("its checks passed"))
        })
    }

    /// Asserts that an attack leaves the p99 of the others within twice of what it is without, and takes
    /// bounded memory. `check` judges the result of the attack, and returns how many replies of the
    /// others' service the attack got.
    fn assert_unharmed<T: Send>(
        mut self,
        what: &str,
        attack: impl Fn(&Attack<'_>) -> T + Sync,
        check: impl Fn(&Measured, T) -> usize,
    ) {
        self.measure(); // the buffers reach their size with this
        self.process.forget_peak();
        let before = self.process.memory();
        assert_p99_at_most_doubles(what, || {
            let without = self.measure();
            assert_eq!(without.timeouts, 0);
            let (beside, result) = self.measure_beside(&attack);
            self.replies += check(&beside, result);
            [without, beside].map(|measured| measured.replies.into_iter().collect::<Times>())
        });
        let grown = self.process.peak().saturating_sub(before);
        println!("{what}: the memory grew by {} KiB at most", grown / 1024);
        assert!(grown < BUFFERS, "{what}: it grew by {grown} bytes");
        self.finish();
    }

    /// Stops the server, whose counts must be those of the callers.
    fn finish(self) {
        let listed = self.listed();
        assert_eq!(listed["answered"], self.replies, "{listed}");
        assert_eq!(listed["failed"], self.timeouts, "{listed}");
        for caller in self.callers {
            let mut client = caller.client;
            client.fim();
        }
        self.served.stop();
        for responder in self.responders {
            responder.join().expect("it only answers");
        }
    }

    /// Returns the line that `arauto services --json` prints of the service.
    fn listed(&self) -> serde_json::Value {
        let mut command = self.served.command(&["services", "--json"]);
        let printed = finish(&mut command, "").expect_success();
        let lines = printed.lines();
        let mut lines = lines.map(|line| serde_json::from_str(line).expect("each line is JSON"));
        let is_ours = |line: &serde_json::Value| line["service"] == SERVICE;
        lines.find(is_ours).expect("it is offered")
    }
}

impl Caller {
    fn make_calls(&mut self) -> Measured {
        let mut measured = Measured::default();
        let mut open = HashMap::new();
        let timeout = u64::try_from(TIMEOUT.as_millis()).expect("it is short");
        for sent in 0.. {
            if sent < CALLS {
                let id = self.next;
                self.next += 1;
                let frame = call(id, SERVICE, &id.to_string());
                open.insert(id, Instant::now());
                self.client.send(&frame.with("timeout", number(timeout)));
            }
            while open.len() >= WINDOW || (sent >= CALLS && !open.is_empty()) {
                let frame = next(&mut self.client);
                let id = frame.num("id");
                let began = open.remove(&id).expect("a call ends once");
                if frame.is("reply") {
                    assert_eq!(frame.text("body"), reply_to(&id.to_string()));
                    measured.replies.push(began.elapsed());
                } else {
                    assert_eq!(frame.text("code"), "timeout", "{frame:?}");
                    measured.timeouts += 1;
                }
            }
            if open.is_empty() {
                break;
            }
        }
        measured
    }
}

/// Answers calls until the end of the session.
fn answer_all(mut client: FrameClient) {
    while let Some(frame) = client.recv() {
        if frame.is("call") {
            let reply = answer(frame.num("call"), &reply_to(frame.text("body")));
            let _ = client.try_send(&reply.bytes()); // the server may have closed the connection
        }
    }
}

/// Connects, and logs in without broadcasts.
fn member(endpoint: &Endpoint, user: &str) -> FrameClient {
    member_over(os::connect(endpoint).expect("the server listens"), user)
}

fn member_over(stream: os::Stream, user: &str) -> FrameClient {
    let mut client = FrameClient::local(stream);
    client.expect("welcome");
    let filter = Value::Array(Vec::new());
    client.send(&login(0, user, PASSWORD).with("filter", filter));
    client.expect("logged_in");
    client
}

fn offer(client: &mut FrameClient, service: &str, limit: u64) {
    let frame = ask("offer", 1).with("service", text(service));
    client.send(&frame.with("limit", number(limit)));
    client.skip_to("offered");
}

fn call(id: u64, service: &str, body: &str) -> Frame {
    request(id, text(body)).with("service", text(service))
}

fn answer(call: u64, body: &str) -> Frame {
    Frame::new("answer", [("call", number(call)), ("body", text(body))])
}

fn reply_to(body: &str) -> String {
    format!("reply to {body}")
}

fn number(number: u64) -> Value {
    Value::Integer(number.into())
}

/// Returns the next frame behind any `passed`.
fn next(client: &mut FrameClient) -> Frame {
    loop {
        let frame = client.recv().expect("the session goes on");
        if !frame.is("passed") {
            return frame;
        }
    }
}

/// Returns the next frame behind any `passed`, and asserts its name.
#[track_caller]
fn expect(client: &mut FrameClient, name: &str) -> Frame {
    let frame = next(client);
    assert!(frame.is(name), "{frame:?} instead of {name}");
    frame
}

/// Asserts that the next frame is the error with this id and code.
#[track_caller]
fn expect_failed(client: &mut FrameClient, id: u64, code: &str) {
    let error = expect(client, "error");
    assert_eq!(
        (error.num("id"), error.text("code")),
        (id, code),
        "{error:?}"
    );
}

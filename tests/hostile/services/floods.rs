//! Callers that send more calls than they may have in work.

use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::{Attack, Others, PATIENCE, SERVICE, call, member_over, reply_to};
use crate::alone;
use crate::process::MIB;
use crate::support::{Frame, FrameClient, os, watchdog_for};

/// The calls that are sent at once: twice as many as a session may have in work.
const BATCH: u64 = 512;

/// The most bytes that are read from a client that does not read.
const TAKEN: u64 = 4 * MIB;

/// The answers that a flooding caller got.
#[derive(Default)]
struct Flood {
    sent: u64,
    replied: u64,
    throttled: u64,
    /// Answers that were checked. Most are the same, as all calls have one id: to decode each would
    /// take the processor from the server and the others.
    known: Vec<(Vec<u8>, Answer)>,
}

#[derive(Clone, Copy)]
enum Answer {
    Reply,
    Throttled,
    Passed,
}

impl Answer {
    fn check(item: &[u8]) -> Answer {
        let frame = Frame::parse(item);
        match frame.name.as_str() {
            "reply" => {
                assert_eq!(frame.text("body"), reply_to("flood"));
                Answer::Reply
            }
            "passed" => Answer::Passed,
            _ => {
                assert_eq!(frame.text("code"), "throttled", "{frame:?}");
                assert!(frame.num("retry_after") > 0, "{frame:?}");
                Answer::Throttled
            }
        }
    }
}

impl Flood {
    /// Takes the next frame.
    fn take(&mut self, client: &mut FrameClient) {
        let known = &mut self.known;
        let answer = client.recv_item(|item| {
            let found = known.iter().find(|(known, _)| known == item);
            let found = found.map(|(_, answer)| *answer);
            found.unwrap_or_else(|| {
                let answer = Answer::check(item);
                known.push((item.to_owned(), answer));
                answer
            })
        });
        match answer.expect("the session goes on") {
            Answer::Reply => self.replied += 1,
            Answer::Throttled => self.throttled += 1,
            Answer::Passed => {}
        }
    }

    fn answered(&self) -> u64 {
        self.replied + self.throttled
    }
}

/// Connects a caller. Returns its connection too.
fn caller(attack: &Attack<'_>) -> (UnixStream, FrameClient) {
    let stream = os::connect(attack.endpoint).expect("the server listens");
    let own = stream.try_clone().expect("a descriptor is free");
    (own, member_over(stream, "eva"))
}

fn batch() -> Vec<u8> {
    let bytes = call(7, SERVICE, "flood").bytes();
    bytes.repeat(BATCH as usize)
}

/// Sends calls as fast as the server takes them, and reads all answers.
fn flood(attack: &Attack<'_>) -> Flood {
    let (mut stream, mut client) = caller(attack);
    let (sent, is_sending) = (AtomicU64::new(0), AtomicBool::new(true));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let batch = batch();
            attack.begin();
            while !attack.is_over() {
                stream.write_all(&batch).expect("it is read");
                sent.fetch_add(BATCH, Ordering::Release);
            }
            is_sending.store(false, Ordering::Release);
        });
        let mut flood = Flood::default();
        loop {
            let was_sending = is_sending.load(Ordering::Acquire);
            if flood.answered() < sent.load(Ordering::Acquire) {
                flood.take(&mut client);
            } else if !was_sending {
                break;
            } else {
                std::thread::yield_now();
            }
        }
        client.fim();
        flood.sent = sent.load(Ordering::Acquire);
        flood
    })
}

/// Sends calls as fast as the server takes them, and reads the answers only when the attack is over.
fn flood_unread(attack: &Attack<'_>) -> Flood {
    let (mut stream, mut client) = caller(attack);
    let batch = batch();
    stream.set_nonblocking(true).expect("it is a socket");
    attack.begin();
    let (mut flood, mut rest) = (Flood::default(), &batch[..]);
    let mut bytes = 0;
    while !attack.is_over() {
        match stream.write(rest) {
            Ok(length) => (rest, bytes) = (&rest[length..], bytes + length as u64),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                std::thread::park_timeout(Duration::from_millis(1));
            }
            Err(error) => panic!("it is still open: {error}"),
        }
        if rest.is_empty() {
            (rest, flood.sent) = (&batch[..], flood.sent + BATCH);
        }
    }
    println!("{bytes} bytes of calls were taken");
    assert!(bytes < TAKEN, "{bytes} bytes were taken");
    stream.set_nonblocking(false).expect("it is a socket");
    std::thread::scope(|scope| {
        if rest.len() < batch.len() {
            flood.sent += BATCH;
            scope.spawn(|| stream.write_all(rest).expect("it is read"));
        }
        while flood.answered() < flood.sent {
            flood.take(&mut client);
        }
    });
    client.fim();
    flood
}

fn assert_others_unharmed(what: &str, attack: impl Fn(&Attack<'_>) -> Flood + Sync) {
    let (_alone, _watchdog) = (alone(), watchdog_for(PATIENCE));
    let others = Others::new();
    others.assert_unharmed(what, attack, |measured, flood| {
        let (replied, throttled) = (flood.replied, flood.throttled);
        println!("{replied} calls replied, {throttled} throttled");
        assert!(replied > 0 && throttled > 0);
        assert_eq!(measured.timeouts, 0);
        usize::try_from(flood.replied).expect("it was counted")
    });
}

#[test]
fn flood_of_calls_is_throttled() {
    assert_others_unharmed("a flood of calls", flood);
}

#[test]
fn flood_of_calls_whose_answers_are_unread_is_not_read_from() {
    assert_others_unharmed("a flood of calls that reads nothing", flood_unread);
}

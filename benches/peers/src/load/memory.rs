//! The memory that a server holds for each topic, and for each subscription.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::Figures;
use super::clocks::RunClocks;
use crate::net::Socket;
use crate::peer::System;
use crate::peer::arauto::{self, Subscriber};
use crate::start::{self, Programs, Running, Setup};

/// Messages that are written before their answers are read: they have room in the socket.
const AT_ONCE: u64 = 256;

/// Subscriptions of one session; by default it may have no more.
const OF_ONE_SESSION: u64 = 1000;

/// Patterns in one frame.
const IN_ONE_FRAME: u64 = 100;

/// Bytes of a body.
const SIZE: usize = 16;

/// The memory that the server holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Topics of messages that are in the log. The same messages with one topic are the
    /// comparison.
    Topics,
    /// Subscriptions to topics that no other session has. The same sessions without them are the
    /// comparison.
    Subscriptions,
}

/// Lets a new server hold so many, and returns the bytes that each of them takes: the difference
/// of two resident set sizes.
pub fn run(
    held: Held,
    system: System,
    setup: Setup<'_>,
    programs: &Programs,
    count: u64,
) -> Result<Figures> {
    let clocks = RunClocks::start(None)?;
    let (without, with) = match held {
        Held::Topics => {
            let start = || start::start(system, setup, programs);
            let without = publish(&start()?, count, |_| 0)?;
            (without, publish(&start()?, count, |number| number)?)
        }
        Held::Subscriptions => subscribe(&start::start(system, setup, programs)?, count)?,
    };
    let figures = clocks.stop(count, 0, Instant::now())?;
    Ok(Figures {
        bytes: Some((with as f64 - without as f64) / count as f64),
        ..figures
    })
}

/// Publishes so many messages, and returns the memory that the server has then.
fn publish(running: &Running, count: u64, topic: impl Fn(u64) -> u64) -> Result<u64> {
    let mut publisher = Subscriber::log_in(running.connect()?)?;
    let body = "x".repeat(SIZE);
    let mut number = 0;
    while number < count {
        let until = (number + AT_ONCE).min(count);
        let frames = (number..until).map(|number| arauto::publish_to(&name(topic(number)), &body));
        publisher.exchange(&frames.collect::<Vec<_>>().concat(), until - number)?;
        number = until;
    }
    resident(running)
}

/// Returns the memory that the server has before and behind so many subscriptions.
fn subscribe(running: &Running, count: u64) -> Result<(u64, u64)> {
    let mut sessions = Vec::new();
    for _ in 0..count.div_ceil(OF_ONE_SESSION) {
        let socket: Socket = running.connect()?;
        sessions.push(Subscriber::log_in(socket)?);
    }
    let before = resident(running)?;
    let mut number = 0;
    while number < count {
        let session = usize::try_from(number / OF_ONE_SESSION)?;
        let until = (number + IN_ONE_FRAME).min(count);
        let patterns: Vec<String> = (number..until).map(name).collect();
        sessions[session].exchange(&arauto::subscribe(&patterns), 1)?;
        number = until;
    }
    Ok((before, resident(running)?))
}

/// Returns a topic's name; it is one of few bytes, as long as all others.
fn name(number: u64) -> String {
    format!("a/{number:06}/c")
}

/// Returns the resident set size of a server in bytes; see proc_pid_status(5).
fn resident(running: &Running) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", running.server.process().0))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    let kib: u64 = kib.context("the server has ended")?.parse()?;
    ensure!(kib > 0, "the server has no memory");
    Ok(kib * 1024)
}

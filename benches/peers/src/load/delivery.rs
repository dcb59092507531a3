//! One publisher and one subscriber: the time from a publish to its delivery.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::Figures;
use super::clocks::RunClocks;
use crate::engine::connection::BUFFER;
use crate::engine::latencies::Latencies;
use crate::net::{self, Socket};
use crate::peer::Meter;
use crate::start::Running;

/// Both clients, in one thread.
struct Pair {
    subscriber: Socket,
    deliveries: Meter,
    /// Its reads do not block.
    publisher: Socket,
    /// Counts the publisher's own frames.
    answers: Meter,
    frame: Vec<u8>,
    buffer: Vec<u8>,
    published: u64,
}

/// Publishes `messages` bodies of `size` bytes. The next one is published when the last one
/// has been delivered, whether the publisher has been answered or not.
pub fn run(size: usize, running: &Running, messages: u64) -> Result<Figures> {
    let mut pair = Pair::connect(size, running)?;
    for _ in 0..messages / 20 {
        pair.deliver()?; // the first ones are slower everywhere
    }
    // To the nanosecond up to a quarter of a millisecond.
    let mut latencies = Latencies::with_digits(5);
    let clocks = RunClocks::start(Some(running.server.process()))?;
    for _ in 0..messages {
        latencies.record(pair.deliver()?);
    }
    let figures = clocks.stop(messages, 0, Instant::now())?;
    pair.verify(running)?;
    Ok(figures.with_latencies(&latencies))
}

impl Pair {
    fn connect(size: usize, running: &Running) -> Result<Pair> {
        let mut subscriber = running.connect().context("connect")?;
        let deliveries = running.system.subscribe(&mut subscriber, size)?;
        let mut publisher = running.connect().context("connect")?;
        let answers = running.system.announce(&mut publisher, size, 1)?;
        net::set_blocking(&publisher, false)?;
        Ok(Pair {
            subscriber,
            deliveries,
            publisher,
            answers,
            frame: running.system.publish(size),
            buffer: vec![0; BUFFER],
            published: 0,
        })
    }

    /// Publishes one message, and returns how long its delivery took.
    fn deliver(&mut self) -> Result<Duration> {
        let begin = Instant::now();
        self.publisher.write_all(&self.frame)?;
        self.published += 1;
        while !self.is_delivered() {
            let length = self.subscriber.read(&mut self.buffer)?;
            ensure!(length > 0, "the server closed the subscriber's connection");
            self.deliveries.feed(&self.buffer[..length])?;
        }
        let took = begin.elapsed();
        self.read_answers()?;
        Ok(took)
    }

    fn is_delivered(&self) -> bool {
        self.deliveries.count().messages == self.published && self.deliveries.is_even()
    }

    /// Reads what the server has sent to the publisher by now.
    fn read_answers(&mut self) -> Result<()> {
        match self.publisher.read(&mut self.buffer) {
            Ok(0) => bail!("the server closed the publisher's connection"),
            Ok(length) => self.answers.feed(&self.buffer[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for the answers that are still due to the publisher, and checks all counts.
    fn verify(mut self, running: &Running) -> Result<()> {
        let due = self.published * running.system.answers();
        net::set_blocking(&self.publisher, true)?;
        while self.answers.count().answers < due || !self.answers.is_even() {
            self.read_answers()?;
        }
        let (deliveries, answers) = (self.deliveries.count(), self.answers.count());
        ensure!(
            answers.answers == due && answers.messages == 0,
            "the publisher got {answers:?}, and {due} answers were due"
        );
        ensure!(deliveries.lost == 0, "lost: {deliveries:?}");
        Ok(())
    }
}

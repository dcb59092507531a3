//! One client that asks, waits for the reply, and asks again, each time timed.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Figures;
use super::clocks::RunClocks;
use crate::engine::latencies::Latencies;
use crate::meter::show;
use crate::start::Running;

/// Asks `requests` times with bodies of `size` bytes. Reads and writes block: the
/// client's side is as short as it can be.
pub fn run(size: usize, running: &Running, requests: u64) -> Result<Figures> {
    let mut socket = running.connect().context("connect")?;
    let talk = running.system.converse(&mut socket, size)?;
    let mut reply = vec![0; talk.reply.len()];
    let mut ask = || -> Result<Duration> {
        let begin = Instant::now();
        socket.write_all(&talk.request)?;
        socket.read_exact(&mut reply)?;
        let took = begin.elapsed();
        ensure!(reply == talk.reply, "another reply: {:?}", show(&reply));
        Ok(took)
    };
    for _ in 0..requests / 20 {
        ask()?; // the first ones are slower everywhere
    }
    // To the nanosecond up to a quarter of a millisecond.
    let mut latencies = Latencies::with_digits(5);
    let clocks = RunClocks::start(Some(running.server.process()))?;
    for _ in 0..requests {
        latencies.record(ask()?);
    }
    let figures = clocks.stop(requests, 0, Instant::now())?;
    Ok(figures.with_latencies(&latencies))
}

//! One client that asks, waits for the reply, and asks again, each time timed.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::{Clocks, Figures};
use crate::meter::show;
use crate::net;
use crate::start::Running;

/// Asks `requests` times with bodies of `size` bytes. Reads and writes block: the
/// client's side is as short as it can be.
pub fn run(size: usize, running: &Running, requests: u64) -> Result<Figures> {
    let socket = net::connect(&running.address).context("connect")?;
    let talk = running.system.converse(&socket, size)?;
    let mut reply = vec![0; talk.reply.len()];
    let mut ask = || -> Result<u64> {
        let begin = Instant::now();
        net::write_all(&socket, &talk.request)?;
        net::read_exact(&socket, &mut reply)?;
        let took = begin.elapsed();
        ensure!(reply == talk.reply, "another reply: {:?}", show(&reply));
        Ok(u64::try_from(took.as_nanos())?)
    };
    for _ in 0..requests / 20 {
        ask()?; // the first ones are slower everywhere
    }
    let cpu = || running.server.cpu();
    let clocks = Clocks::start(&cpu)?;
    let mut took = Vec::with_capacity(usize::try_from(requests)?);
    for _ in 0..requests {
        took.push(ask()?);
    }
    let mut figures = clocks.stop(requests, 0, Instant::now())?;
    took.sort_unstable();
    let at = |share: f64| {
        let place = (share * (took.len() - 1) as f64).round() as usize;
        took.get(place).map(|nanos| *nanos as f64 / 1e3)
    };
    figures.p50 = at(0.50);
    figures.p99 = at(0.99);
    Ok(figures)
}

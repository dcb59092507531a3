//! How long a server needs until it serves, and until it has ended.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::Figures;
use super::clocks::RunClocks;
use crate::engine::latencies::Latencies;
use crate::peer::System;
use crate::start::{self, Programs, Setup};

/// Which of the two is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// From the start of the process to the first answer to a client.
    Ready,
    /// From SIGTERM to the end of the process, without clients.
    Stopped,
}

/// Starts and stops a server so many times, each time with new folders.
pub fn run(
    moment: Moment,
    system: System,
    setup: Setup<'_>,
    programs: &Programs,
    times: u64,
) -> Result<Figures> {
    let mut latencies = Latencies::with_digits(3);
    let clocks = RunClocks::start(None)?;
    for _ in 0..times {
        let mut running = start::start(system, setup, programs)?;
        let mut socket = running.connect()?;
        system.greet(&mut socket)?;
        let ready = running.begin.elapsed();
        drop(socket);

        let pid = i32::try_from(running.server.process().0)?;
        let pid = Pid::from_raw(pid).context("the server has a pid")?;
        let begin = Instant::now();
        kill_process(pid, Signal::TERM)?;
        let status = running.server.wait()?;
        let stopped = begin.elapsed();
        ensure!(
            status.success() || system != System::Arauto,
            "it ended with {status}"
        );
        latencies.record(match moment {
            Moment::Ready => ready,
            Moment::Stopped => stopped,
        });
    }
    let figures = clocks.stop(times, 0, Instant::now())?;
    Ok(figures.with_latencies(&latencies))
}

//! The cost of a run: wall time, the server's CPU time, the load's own, and that of the
//! whole machine.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result};

use super::Figures;
use crate::engine::clocks::{Clocks, CpuSeconds, Process, per_million};

/// The wall clock, the load engine's clocks, and the machine's.
#[derive(Debug)]
pub struct RunClocks {
    clocks: Clocks,
    machine_begin: f64,
    begin: Instant,
}

impl RunClocks {
    /// Starts them. Without a server its CPU time, and that of others, stays unknown.
    pub fn start(server: Option<Process>) -> Result<Self> {
        Ok(RunClocks {
            machine_begin: machine_cpu()?.0,
            clocks: Clocks::start(server),
            begin: Instant::now(),
        })
    }

    /// Returns when the run began.
    pub fn begin(&self) -> Instant {
        self.begin
    }

    /// Returns the figures of a run in which `done` were done at `end`.
    pub fn stop(self, done: u64, lost: u64, end: Instant) -> Result<Figures> {
        let seconds = end.duration_since(self.begin).as_secs_f64();
        let whole = self.begin.elapsed().as_secs_f64();
        let CpuSeconds { server, load } = self.clocks.cpu_seconds();
        let load = load.context("the load's CPU time is unknown")?;
        let (machine, processors) = machine_cpu()?;
        let others = server.map(|server| {
            let others = machine - self.machine_begin - server - load;
            // The machine's clock has ticks: of a very short run it says little.
            (others / (whole * processors)).clamp(0.0, 1.0)
        });
        Ok(Figures {
            done,
            lost,
            seconds,
            rate: done as f64 / seconds,
            cpu: server.map(|server| per_million(server, done)),
            load_busy: load / whole,
            others_busy: others,
            ..Figures::default()
        })
    }
}

/// Returns the seconds that all processors together have been busy for, time that the
/// host of a virtual machine took away included, and how many processors there are,
/// whether this thread may use them or not.
fn machine_cpu() -> Result<(f64, f64)> {
    let text = fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().context("/proc/stat is empty")?;
    let fields: Vec<u64> = (line.split_whitespace().skip(1))
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    // user, nice, system, (idle, iowait,) irq, softirq, steal
    let busy = fields.iter().take(8).sum::<u64>() - fields.iter().skip(3).take(2).sum::<u64>();
    let seconds = busy as f64 / rustix::param::clock_ticks_per_second() as f64;
    let processors = text.lines().filter(|line| line.starts_with("cpu")).count() - 1;
    Ok((seconds, processors as f64))
}

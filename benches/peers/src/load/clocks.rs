//! What a run took: of time, of the server's processor, of the load's own, and of
//! the machine's.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::time::ClockId;

use super::Figures;

/// The clocks of one run: the wall's, the server's and the load's own.
pub struct Clocks<'a> {
    server: &'a dyn Fn() -> Result<Duration>,
    begin: Instant,
    server_begin: Duration,
    own_begin: Duration,
    machine_begin: Duration,
}

impl<'a> Clocks<'a> {
    /// Starts them; `server` reads the server's CPU time.
    pub fn start(server: &'a dyn Fn() -> Result<Duration>) -> Result<Self> {
        let (server_begin, own_begin) = (server()?, own_cpu()?);
        Ok(Clocks {
            server,
            begin: Instant::now(),
            server_begin,
            own_begin,
            machine_begin: machine_cpu()?,
        })
    }

    /// When the run began.
    pub fn begin(&self) -> Instant {
        self.begin
    }

    /// Stops them: `done` were done when the clock stood at `end`.
    pub fn stop(self, done: u64, lost: u64, end: Instant) -> Result<Figures> {
        let seconds = end.duration_since(self.begin).as_secs_f64();
        let whole = self.begin.elapsed().as_secs_f64();
        let server = ((self.server)()? - self.server_begin).as_secs_f64();
        let own = (own_cpu()? - self.own_begin).as_secs_f64();
        let machine = (machine_cpu()? - self.machine_begin).as_secs_f64();
        let others = (machine - server - own) / (whole * processors()?);
        Ok(Figures {
            done,
            lost,
            seconds,
            rate: done as f64 / seconds,
            cpu: server / done as f64 * 1e6,
            load_busy: own / whole,
            // The machine's clock has ticks: of a very short run it says little.
            others_busy: others.clamp(0.0, 1.0),
            p50: None,
            p99: None,
        })
    }
}

fn own_cpu() -> Result<Duration> {
    Ok(ClockId::CLOCK_THREAD_CPUTIME_ID.now()?.into())
}

/// What all processors together have been busy for, time that the host of a
/// virtual machine took away included.
fn machine_cpu() -> Result<Duration> {
    let text = fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().context("/proc/stat is empty")?;
    let fields: Vec<u64> = (line.split_whitespace().skip(1))
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    // user, nice, system, (idle, iowait,) irq, softirq, steal
    let busy = fields.iter().take(8).sum::<u64>() - fields.iter().skip(3).take(2).sum::<u64>();
    let a_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_secs_f64(busy as f64 / a_second as f64))
}

/// How many there are, whether this thread may use them or not.
fn processors() -> Result<f64> {
    let text = fs::read_to_string("/proc/stat")?;
    let is_one = |line: &&str| line.starts_with("cpu") && !line.starts_with("cpu ");
    Ok(text.lines().filter(is_one).count() as f64)
}

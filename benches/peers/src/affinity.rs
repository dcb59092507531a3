//! On which processors this thread, and what it starts, may run.

use anyhow::{Result, bail};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Pins this thread to one cpu.
pub fn pin_to(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    Ok(sched_setaffinity(None, &set)?)
}

/// The first cpu that this thread may use.
pub fn first_cpu() -> Result<usize> {
    let set = sched_getaffinity(None)?;
    match (0..CpuSet::MAX_CPU).find(|cpu| set.is_set(*cpu)) {
        Some(cpu) => Ok(cpu),
        None => bail!("no cpu is allowed"),
    }
}

/// Pins this thread until it is dropped.
#[derive(Debug)]
pub struct Pinned(CpuSet);

impl Pinned {
    /// Pins this thread to one cpu, for a while.
    pub fn to(cpu: usize) -> Result<Pinned> {
        let before = sched_getaffinity(None)?;
        pin_to(cpu)?;
        Ok(Pinned(before))
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Err(error) = sched_setaffinity(None, &self.0) {
            eprintln!("the cpus could not be given back: {error}");
        }
    }
}

//! The processors that this thread may run on.

use anyhow::{Result, bail};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Returns the first cpu that this thread may use.
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
    /// Pins this thread to one cpu.
    pub fn to(cpu: usize) -> Result<Pinned> {
        let before = sched_getaffinity(None)?;
        let mut set = CpuSet::new();
        set.set(cpu);
        sched_setaffinity(None, &set)?;
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

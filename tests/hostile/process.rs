//! The resources of a server's process, from proc(5).

use std::fmt;
use std::fs;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;

use crate::support::{Served, wait_until};

pub const MIB: u64 = 1 << 20;

/// A server's process.
#[derive(Clone, Copy)]
pub struct Process(u32);

/// The resources of a process at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Resources {
    pub descriptors: usize,
    pub threads: u64,
    /// The resident set size, in bytes.
    pub memory: u64,
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kib = self.memory / 1024;
        let (descriptors, threads) = (self.descriptors, self.threads);
        write!(f, "{kib} KiB, {descriptors} descriptors, {threads} threads")
    }
}

impl Process {
    pub fn of(served: &Served) -> Process {
        Process(served.child.id())
    }

    /// Returns the CPU time used, in user and system mode.
    pub fn cpu(self) -> Duration {
        let stat = self.read("stat");
        // The second field is the program's name in parentheses.
        let (_, fields) = stat.rsplit_once(')').expect("it has a name");
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64)
    }

    pub fn descriptors(self) -> usize {
        let open = fs::read_dir(format!("/proc/{}/fd", self.0));
        open.expect("it runs").count()
    }

    /// Returns the resident set size, in bytes.
    pub fn memory(self) -> u64 {
        self.status("VmRSS:") * 1024
    }

    /// Returns the peak of the resident set size since [`Process::forget_peak`], in bytes.
    pub fn peak(self) -> u64 {
        self.status("VmHWM:") * 1024
    }

    /// Resets the peak of the resident set size.
    pub fn forget_peak(self) {
        fs::write(format!("/proc/{}/clear_refs", self.0), "5").expect("it is our child");
    }

    pub fn held(self) -> Resources {
        Resources {
            descriptors: self.descriptors(),
            threads: self.status("Threads:"),
            memory: self.memory(),
        }
    }

    /// Waits until the process has no more descriptors than before, and returns its resources.
    pub fn at_rest(self, before: Resources) -> Resources {
        wait_until("its descriptors are those of before", || {
            self.descriptors() <= before.descriptors
        });
        self.held()
    }

    /// Waits until the process has no more threads than before: an idle thread for blocking work
    /// ends after some seconds.
    pub fn has_let_threads_go(self, before: Resources) {
        wait_until("its threads are those of before", || {
            self.held().threads <= before.threads
        });
    }

    fn status(self, key: &str) -> u64 {
        let status = self.read("status");
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let value = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        value.unwrap_or_else(|| panic!("{key} is not in {status}"))
    }

    fn read(self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.0)).expect("it runs")
    }
}

//! What Linux says of a process, and of the machine (proc(5)). Elsewhere, and
//! where it is not for us to see, it says nothing: the figures are unknown then.

use std::fs;
use std::path::PathBuf;

use rustix::param::clock_ticks_per_second;
use serde::Serialize;

/// A process of this machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process(pub(super) u32);

/// What a process holds of the machine's memory.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Memory {
    /// All that is mapped and there.
    #[serde(rename = "rss_bytes")]
    pub(super) rss: u64,
    /// The same, what is shared divided by those who share it.
    #[serde(rename = "pss_bytes")]
    pub(super) pss: u64,
}

impl Process {
    /// This process.
    pub(super) fn own() -> Process {
        Process(std::process::id())
    }

    /// Seconds of CPU that it has used, in user and in system mode; a zombie's too.
    pub(super) fn cpu_seconds(self) -> Option<f64> {
        let stat = self.read("stat")?;
        // The second field is the program's name, in parentheses, and may hold any.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        let (user, system) = (ticks()?, ticks()?);
        Some((user + system) as f64 / clock_ticks_per_second() as f64)
    }

    /// The most memory (RSS) that it has ever held, in bytes.
    pub(super) fn peak_memory(self) -> Option<u64> {
        kilobytes(&self.read("status")?, "VmHWM:")
    }

    /// What it holds now.
    pub(super) fn memory(self) -> Option<Memory> {
        let rollup = self.read("smaps_rollup")?;
        Some(Memory {
            rss: kilobytes(&rollup, "Rss:")?,
            pss: kilobytes(&rollup, "Pss:")?,
        })
    }

    /// Whether it is no more, or a zombie that nobody has waited for.
    pub(super) fn is_over(self) -> bool {
        let state = self.read("stat").and_then(|stat| {
            let (_, fields) = stat.rsplit_once(')')?;
            fields.trim_start().chars().next()
        });
        matches!(state, None | Some('Z' | 'X'))
    }

    fn read(self, file: &str) -> Option<String> {
        let path: PathBuf = ["/proc", &self.0.to_string(), file].iter().collect();
        fs::read_to_string(path).ok()
    }
}

/// Where a figure was measured.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    os: &'static str,
    architecture: &'static str,
    kernel: Option<String>,
    cpu: Option<String>,
    cores: Option<usize>,
    memory_bytes: Option<u64>,
}

impl Machine {
    pub(super) fn this() -> Machine {
        let text = |path| fs::read_to_string(path).ok();
        let kernel = text("/proc/sys/kernel/osrelease");
        let cpu = text("/proc/cpuinfo").and_then(|info| {
            let line = info.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        });
        Machine {
            os: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            kernel: kernel.map(|kernel| kernel.trim().to_owned()),
            cpu,
            cores: std::thread::available_parallelism().ok().map(usize::from),
            memory_bytes: text("/proc/meminfo").and_then(|info| kilobytes(&info, "MemTotal:")),
        }
    }
}

/// The value of a line such as `VmHWM:     1234 kB`, in bytes.
fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    let value: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(value * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_of_linux_is_known() {
        let own = Process::own();
        assert!(own.cpu_seconds().is_some());
        let memory = own.memory().expect("it is ours");
        assert!(memory.rss > 0 && memory.pss <= memory.rss);
        assert!(own.peak_memory() >= Some(memory.rss / 2));
    }

    #[test]
    fn a_process_that_is_not_there_is_unknown() {
        let none = Process(u32::MAX);
        assert!(none.cpu_seconds().is_none() && none.memory().is_none());
        assert_eq!(none.peak_memory(), None);
    }
}

//! Memory of a process, and the machine, from Linux's proc(5). Elsewhere, and where the
//! files cannot be read, the figures are unknown.

use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use crate::load::clocks::Process;

/// A process's share of the machine's memory.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Memory {
    /// All pages that are mapped and resident.
    #[serde(rename = "rss_bytes")]
    pub(super) rss: u64,
    /// The same, with shared pages divided by the number of processes that share them.
    #[serde(rename = "pss_bytes")]
    pub(super) pss: u64,
}

/// Returns the most memory (RSS) that a process has ever held, in bytes.
pub(super) fn peak_memory(process: Process) -> Option<u64> {
    kilobytes(&read(process, "status")?, "VmHWM:")
}

/// Returns the memory that a process holds now.
pub(super) fn memory(process: Process) -> Option<Memory> {
    let rollup = read(process, "smaps_rollup")?;
    Some(Memory {
        rss: kilobytes(&rollup, "Rss:")?,
        pss: kilobytes(&rollup, "Pss:")?,
    })
}

/// Returns whether a process has ended: it is gone, or a zombie that its parent has not
/// waited for.
pub(super) fn has_ended(process: Process) -> bool {
    let state = read(process, "stat").and_then(|stat| {
        // The second field is the program's name, in parentheses, and may hold any.
        let (_, fields) = stat.rsplit_once(')')?;
        fields.trim_start().chars().next()
    });
    matches!(state, None | Some('Z' | 'X'))
}

fn read(process: Process, file: &str) -> Option<String> {
    let path: PathBuf = ["/proc", &process.0.to_string(), file].iter().collect();
    fs::read_to_string(path).ok()
}

/// The machine that a figure was measured on.
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

/// Returns the value of a line such as `VmHWM:     1234 kB`, in bytes.
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
    fn linux_process_is_measured() {
        let own = Process::own();
        assert!(!has_ended(own));
        let memory = memory(own).expect("it is this process");
        assert!(memory.rss > 0 && memory.pss <= memory.rss);
        assert!(peak_memory(own) >= Some(memory.rss / 2));
    }

    #[test]
    fn missing_process_is_unknown() {
        let none = Process(u32::MAX);
        assert!(has_ended(none) && memory(none).is_none());
        assert_eq!(peak_memory(none), None);
    }
}

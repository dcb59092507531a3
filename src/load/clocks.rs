//! The CPU time that a run takes, of the server and of the load.
//!
//! CPU time is the process's own clock, user and system time of all threads, ended ones
//! included (clock_getcpuclockid(3)). It counts nanoseconds, where /proc/PID/stat counts
//! ticks of 10 ms. It is read on Linux alone; elsewhere the figures are unknown.

/// A process of this machine.
#[derive(Debug, Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    /// Returns this process.
    pub fn own() -> Process {
        Process(std::process::id())
    }

    /// Returns the CPU seconds that it has used; those of a zombie too.
    #[cfg(target_os = "linux")]
    pub fn cpu_seconds(self) -> Option<f64> {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.0).ok()?);
        let clock = nix::time::ClockId::pid_cpu_clock_id(pid).ok()?;
        Some(std::time::Duration::from(clock.now().ok()?).as_secs_f64())
    }

    /// Returns `None`: only Linux is asked.
    #[cfg(not(target_os = "linux"))]
    pub fn cpu_seconds(self) -> Option<f64> {
        None
    }
}

/// The CPU clocks of one run.
#[derive(Debug)]
pub struct Clocks {
    server: Option<Process>,
    server_begin: Option<f64>,
    own_begin: Option<f64>,
}

/// The CPU time that a run has taken, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub struct CpuSeconds {
    /// The server's.
    pub server: Option<f64>,
    /// The load's: of this whole process.
    pub load: Option<f64>,
}

impl Clocks {
    /// Starts them. `server` is the server's process, where it is known.
    pub fn start(server: Option<Process>) -> Clocks {
        Clocks {
            server,
            server_begin: server.and_then(Process::cpu_seconds),
            own_begin: Process::own().cpu_seconds(),
        }
    }

    /// Returns the CPU time since they were started.
    pub fn cpu_seconds(&self) -> CpuSeconds {
        let server = self.server.and_then(Process::cpu_seconds);
        let own = Process::own().cpu_seconds();
        CpuSeconds {
            server: difference(self.server_begin, server),
            load: difference(self.own_begin, own),
        }
    }
}

/// Returns what was added between two looks.
fn difference(before: Option<f64>, after: Option<f64>) -> Option<f64> {
    Some((after? - before?).max(0.0))
}

/// Returns the CPU seconds for a million of `done`.
pub fn per_million(cpu_seconds: f64, done: u64) -> f64 {
    cpu_seconds / done.max(1) as f64 * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn cpu_time_of_this_process_goes_up() {
        let clocks = Clocks::start(Some(Process::own()));
        while clocks.cpu_seconds().load <= Some(0.0) {}
        assert!(clocks.cpu_seconds().server > Some(0.0));
    }

    #[test]
    fn cpu_time_of_no_process_is_unknown() {
        let clocks = Clocks::start(Some(Process(u32::MAX)));
        assert_eq!(clocks.cpu_seconds().server, None);
    }
}

//! Unix: signals, descriptors, the terminal, the service manager.

mod append;
mod folders;
mod groups;
mod journal;
mod passed_sockets;
mod process;
mod prompt;
mod server_signals;
mod service_flag;
mod service_manager;
mod stdout;
mod target;

use std::fs::{DirBuilder, File, Permissions};
use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use arauto::Endpoint;
#[cfg(target_os = "linux")]
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Resource, Rlimit, getpgrp, getrlimit, setrlimit, test_kill_process};
#[cfg(target_os = "linux")]
use rustix::process::{PidfdFlags, pidfd_open};
use rustix::system::uname;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(in crate::cli) use self::append::{has_file_to_append, is_at, open_to_append};
pub(in crate::cli) use self::folders::{default_data_folder, user_name};
pub(in crate::cli) use self::groups::{in_own_group, kill_group};
pub(in crate::cli) use self::journal::{event_log_sink, is_stderr_journal};
pub(in crate::cli) use self::passed_sockets::passed_sockets;
pub(in crate::cli) use self::process::{has_descriptors, on_own_stack};
pub(in crate::cli) use self::prompt::read_hidden;
pub(in crate::cli) use self::server_signals::ServerSignals;
pub(in crate::cli) use self::service_flag::{ServiceFlag, run_server};
pub(in crate::cli) use self::service_manager::{has_service_manager, notify, watchdog_limit};
pub(in crate::cli) use self::stdout::Stdout;
pub(in crate::cli) use self::target::{Attributes, Target, find_target, is_in_use, open_folder};
use crate::cli::exit::{Failure, sysexits};

/// Receives SIGTERM and SIGINT. A signal that comes while nothing waits is kept. Once this value
/// exists, the signals have no other effect.
pub(in crate::cli) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    pub(in crate::cli) fn new() -> Self {
        let listen = |kind| signal(kind).expect("these signals can be handled");
        StopSignals {
            terminate: listen(SignalKind::terminate()),
            interrupt: listen(SignalKind::interrupt()),
        }
    }

    /// Waits for the next signal. Cancel safe.
    pub(in crate::cli) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The terminal's settings at the start, to restore at the exit: the console's thread, which
/// changes them, may still be reading then.
#[derive(Clone)]
pub(in crate::cli) struct Terminal(Option<Termios>);

impl Terminal {
    pub(in crate::cli) fn remember() -> Self {
        Terminal(tcgetattr(io::stdin()).ok())
    }

    /// Restores the settings. A process in the background leaves them alone: they belong to the
    /// process in the foreground, and the system would stop this one (SIGTTOU, tcsetattr(3p)).
    pub(in crate::cli) fn restore(&self) {
        let is_in_foreground = || tcgetpgrp(io::stdin()).is_ok_and(|group| group == getpgrp());
        if let Some(settings) = &self.0
            && is_in_foreground()
        {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, settings); // the terminal may be gone
        }
    }
}

/// Raises the soft limit of descriptors to the hard limit (getrlimit(2)), and returns the limit
/// in effect. `None`: unlimited. Each session takes a descriptor, and the usual soft limit is
/// 1024, for programs that call select(2).
pub(in crate::cli) fn raise_descriptor_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => {
            tracing::debug!(limit = ?raised.current, "descriptor limit raised");
            raised.current
        }
        Err(error) => {
            tracing::warn!(limit = ?limit.current, %error, "descriptor limit not raised");
            limit.current
        }
    }
}

/// Makes the system kill this process when its parent ends (prctl(2), PR_SET_PDEATHSIG).
/// `parent` is the id of the process that started this one.
///
/// # Errors
/// The parent has ended already, or the system call failed.
#[cfg(target_os = "linux")]
pub(in crate::cli) fn die_with(parent: u32) -> Result<(), Failure> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};

    let set = set_parent_process_death_signal(Some(Signal::KILL));
    let is_alive = getppid().is_some_and(|now| now.as_raw_pid().unsigned_abs() == parent);
    match set {
        Ok(()) if is_alive => Ok(()),
        Ok(()) => {
            let message = format!("the parent process {parent} has ended");
            Err(Failure::new(sysexits::TEMPFAIL, message))
        }
        Err(error) => {
            let message = format!("cannot watch the parent process (prctl): {error}");
            Err(Failure::new(sysexits::OSERR, message))
        }
    }
}

/// Does nothing: this system cannot kill a process when its parent ends.
#[cfg(not(target_os = "linux"))]
pub(in crate::cli) fn die_with(_parent: u32) -> Result<(), Failure> {
    Ok(())
}

/// Another process, watched until it has ended.
pub(in crate::cli) struct Process {
    pid: Pid,
    /// On Linux a descriptor of the process, because its id may be reused later.
    #[cfg(target_os = "linux")]
    descriptor: Option<OwnedFd>,
}

impl Process {
    /// Watches the process with this id. `None`: it cannot be watched.
    pub(in crate::cli) fn watch(pid: i32) -> Option<Process> {
        let pid = Pid::from_raw(pid)?;
        Some(Process {
            pid,
            #[cfg(target_os = "linux")]
            descriptor: pidfd_open(pid, PidfdFlags::empty()).ok(),
        })
    }

    /// Returns whether the process has ended. A zombie, which its parent has not waited for yet,
    /// has ended.
    pub(in crate::cli) fn has_ended(&self) -> bool {
        #[cfg(target_os = "linux")]
        {
            if let Some(descriptor) = &self.descriptor {
                // Readable once the process has ended (pidfd_open(2)).
                let mut looked = [PollFd::new(descriptor, PollFlags::IN)];
                let now = Timespec::default();
                return poll(&mut looked, Some(&now)).is_ok_and(|ready| ready > 0);
            }
            if is_zombie(self.pid) {
                return true;
            }
        }
        test_kill_process(self.pid) == Err(rustix::io::Errno::SRCH)
    }
}

/// Returns whether the process is a zombie (proc_pid_stat(5)), for kernels without
/// pidfd_open(2).
#[cfg(target_os = "linux")]
fn is_zombie(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    let Ok(stat) = stat else { return false };
    // The second field is the program's name in parentheses, which may contain any character.
    let state = stat
        .rsplit_once(')')
        .and_then(|(_, fields)| fields.trim_start().chars().next());
    matches!(state, Some('Z' | 'X'))
}

/// Returns an endpoint in a temporary folder, for a temporary server.
pub(in crate::cli) fn endpoint_in(folder: &Path) -> Endpoint {
    Endpoint::Unix(folder.join("arauto.sock"))
}

/// Returns the machine's host name (uname(2)).
pub(in crate::cli) fn host_name() -> Option<String> {
    let name = uname().nodename().to_str().ok()?.to_owned();
    (!name.is_empty()).then_some(name)
}

/// Creates a folder, and its missing parents, with access for the owner only. An existing folder
/// keeps its mode.
pub(in crate::cli) fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Restricts a file to its owner, whatever the umask is.
pub(in crate::cli) fn make_private(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o600))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn zombie_process_counts_as_ended() {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .spawn()
            .expect("cat is everywhere");
        let pid = i32::try_from(child.id()).expect("it is a process id");
        let process = Process::watch(pid).expect("it is there");
        assert!(!process.has_ended());
        drop(child.stdin.take()); // the process ends and becomes a zombie
        let began = std::time::Instant::now();
        while !process.has_ended() {
            assert!(began.elapsed().as_secs() < 50, "it reads the end");
            std::thread::yield_now();
        }
        #[cfg(target_os = "linux")]
        assert!(is_zombie(process.pid), "nobody has waited for it");
        child.wait().expect("it is a child");
        assert!(process.has_ended());
    }
}

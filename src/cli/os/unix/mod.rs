//! Unix: signals, descriptors, the terminal, the service manager.

mod folders;
mod process;
mod prompt;
mod server_signals;
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
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(in crate::cli) use self::folders::{default_data_folder, user_name};
pub(in crate::cli) use self::process::{has_descriptors, on_own_stack};
pub(in crate::cli) use self::prompt::read_hidden;
pub(in crate::cli) use self::server_signals::ServerSignals;
pub(in crate::cli) use self::target::{Attributes, Target, is_in_use, look_at, open_folder};
use crate::cli::exit::{Failure, sysexits};

/// SIGTERM and SIGINT, as a stream: one that comes while nobody waits is kept. From
/// its making on they have no other effect.
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

    /// The next one.
    pub(in crate::cli) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The terminal's settings: a console thread that still reads when the process
/// ends cannot put them back itself.
#[derive(Clone)]
pub(in crate::cli) struct Terminal(Option<Termios>);

impl Terminal {
    pub(in crate::cli) fn remember() -> Self {
        Terminal(tcgetattr(io::stdin()).ok())
    }

    /// Puts the settings back. A process in the background leaves them alone: the process in
    /// the foreground has its own, and the system would stop this one (SIGTTOU, see
    /// tcsetattr(3p)).
    pub(in crate::cli) fn restore(&self) {
        let is_in_foreground = || tcgetpgrp(io::stdin()).is_ok_and(|group| group == getpgrp());
        if let Some(settings) = &self.0
            && is_in_foreground()
        {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, settings); // or it is gone
        }
    }
}

/// Each session takes a descriptor, and the usual soft limit is 1024, for the sake
/// of programs that call select(2): up to the hard limit (getrlimit(2)). The limit
/// that holds then; `None`: there is none.
pub(in crate::cli) fn raise_descriptor_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => {
            tracing::debug!(limit = ?raised.current, "descriptors");
            raised.current
        }
        Err(error) => {
            tracing::warn!(limit = ?limit.current, %error, "few descriptors");
            limit.current
        }
    }
}

/// Ends this process when its parent ends, however that ends (prctl(2),
/// PR_SET_PDEATHSIG). `parent` is who started it, as it may be gone already.
#[cfg(target_os = "linux")]
pub(in crate::cli) fn die_with(parent: u32) -> Result<(), Failure> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};

    let told = set_parent_process_death_signal(Some(Signal::KILL));
    let alive = getppid().is_some_and(|now| now.as_raw_pid().unsigned_abs() == parent);
    match told {
        Ok(()) if alive => Ok(()),
        Ok(()) => Err(Failure::new(sysexits::TEMPFAIL, "the parent is gone")),
        Err(error) => Err(Failure::new(sysexits::OSERR, format!("prctl: {error}"))),
    }
}

/// Other systems have no such promise to give.
#[cfg(not(target_os = "linux"))]
pub(in crate::cli) fn die_with(_parent: u32) -> Result<(), Failure> {
    Ok(())
}

/// Another process, to see when it has ended.
pub(in crate::cli) struct Process {
    pid: Pid,
    /// Linux: a descriptor of the process itself, as its id may be another's later.
    #[cfg(target_os = "linux")]
    descriptor: Option<OwnedFd>,
}

impl Process {
    /// The process with this id. `None`: it cannot be watched.
    pub(in crate::cli) fn watch(pid: i32) -> Option<Process> {
        let pid = Pid::from_raw(pid)?;
        Some(Process {
            pid,
            #[cfg(target_os = "linux")]
            descriptor: pidfd_open(pid, PidfdFlags::empty()).ok(),
        })
    }

    /// Whether it has ended. One that its parent has not waited for yet (a zombie) has.
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

/// Whether the process has ended and waits for its parent (proc_pid_stat(5)): for systems
/// without pidfd_open(2).
#[cfg(target_os = "linux")]
fn is_zombie(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    let Ok(stat) = stat else { return false };
    // The second field is the program's name, in parentheses, and may hold any character.
    let state = stat
        .rsplit_once(')')
        .and_then(|(_, fields)| fields.trim_start().chars().next());
    matches!(state, Some('Z' | 'X'))
}

/// An endpoint for a server that lives for a moment: it goes with the folder.
pub(in crate::cli) fn endpoint_in(folder: &Path) -> Endpoint {
    Endpoint::Unix(folder.join("arauto.sock"))
}

/// Tells the service manager (sd_notify(3)) that the server serves.
pub(in crate::cli) fn notify_ready() {
    notify(&NotifyState::Ready);
}

/// Tells the service manager that the server comes to its end.
pub(in crate::cli) fn notify_stopping() {
    notify(&NotifyState::Stopping);
}

fn notify(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}

/// The machine's own name (uname(2)).
pub(in crate::cli) fn host_name() -> Option<String> {
    let name = uname().nodename().to_str().ok()?.to_owned();
    (!name.is_empty()).then_some(name)
}

/// Makes a folder, and those above it, that nobody but their owner may look into; one
/// that is there is left as it is.
pub(in crate::cli) fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Lets nobody but its owner at a file, whatever the umask.
pub(in crate::cli) fn make_private(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o600))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn process_that_nobody_has_waited_for_has_ended() {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .spawn()
            .expect("cat is everywhere");
        let pid = i32::try_from(child.id()).expect("it is a process id");
        let process = Process::watch(pid).expect("it is there");
        assert!(!process.has_ended());
        drop(child.stdin.take()); // it ends, and is a zombie then
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

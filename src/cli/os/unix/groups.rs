//! Process groups: a command and the processes that it starts.

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;

/// Puts a command into a process group of its own (setpgid(2)), so that it can be killed with the
/// processes that it starts, and Ctrl-C at the terminal does not reach it.
pub(in crate::cli) fn in_own_group(command: &mut Command) {
    command.process_group(0);
}

/// Kills the process group of a command with this process id, which must not have been waited for:
/// until then no other group has its number.
pub(in crate::cli) fn kill_group(id: u32) {
    let group = i32::try_from(id).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL); // all of it may have ended
    }
}

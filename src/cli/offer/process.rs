//! A process that is killed together with the processes that it has started.

use std::ffi::OsString;
use std::io;
use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::cli::os;

/// A command and its arguments.
#[derive(Debug, Clone)]
pub(super) struct Program {
    name: OsString,
    arguments: Vec<OsString>,
}

impl Program {
    /// Returns the program of a command line; `None` if that is empty.
    pub(super) fn new(mut words: Vec<OsString>) -> Option<Program> {
        if words.is_empty() {
            return None;
        }
        let name = words.remove(0);
        Some(Program {
            name,
            arguments: words,
        })
    }

    /// Makes a command with pipes for stdin and stdout. The password of this process, which its
    /// environment may have, is not for it.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.name);
        command
            .args(&self.arguments)
            .env_remove("ARAUTO_PASSWORD")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        command
    }
}

/// A process in a group of its own. Dropping it kills the group, unless the process has been waited
/// for.
pub(super) struct GroupProcess {
    child: Child,
}

impl GroupProcess {
    /// Starts a command.
    ///
    /// # Errors
    /// There is no such program, or the system has no place for the process.
    pub(super) fn start(command: &mut Command) -> io::Result<GroupProcess> {
        os::in_own_group(command);
        let child = command.kill_on_drop(true).spawn()?;
        Ok(GroupProcess { child })
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Kills the process with its group.
    pub(super) fn kill(&mut self) {
        // Without an id it has been waited for, and the number may belong to another process.
        if let Some(id) = self.child.id() {
            os::kill_group(id);
            let _ = self.child.start_kill(); // where the system has no groups
        }
    }
}

impl Drop for GroupProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

//! A server as a child process that ends with its owner.

use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::clocks::Process;

/// A server listens within this time, or it has failed.
const START: Duration = Duration::from_secs(60);

/// How many lines of its log are shown where it fails.
const LAST_LINES: usize = 15;

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    started: Instant,
    log: PathBuf,
}

impl ServerProcess {
    /// Starts `command` without input, and appends what it prints to `log`.
    ///
    /// # Errors
    /// The log cannot be written, or the program cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> io::Result<ServerProcess> {
        let output = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null());
        command.stdout(output.try_clone()?).stderr(output);
        Ok(ServerProcess {
            child: command.spawn()?,
            started: Instant::now(),
            log: log.to_owned(),
        })
    }

    /// Returns the process.
    pub fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// Returns why a server that does not listen yet never will; `None` while it still
    /// may.
    pub fn start_failure(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(Some(status)) => Some(format!("it did not start: {status}")),
            _ if self.started.elapsed() > START => Some("it does not listen".to_owned()),
            _ => None,
        }
    }

    /// Returns the last lines of its log, each indented.
    pub fn last_lines(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
        last.iter().map(|line| format!("\n  {line}")).collect()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// See waitpid(2).
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill(); // fails where it has ended
        let _ = self.wait();
    }
}

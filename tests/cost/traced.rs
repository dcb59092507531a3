//! A server whose system calls strace(1) writes to a file.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::support::{Served, Stop, run_by, wait_until};

pub struct TracedServer {
    pub served: Served,
    calls: PathBuf,
}

impl TracedServer {
    /// Starts a server in this folder. `options` are strace's. Returns `None` if strace is neither
    /// installed nor required.
    pub fn within(folder: TempDir, options: &[&str], arguments: &[&str]) -> Option<TracedServer> {
        if Command::new("strace").arg("-V").output().is_err() {
            let required = std::env::var_os("ARAUTO_REQUIRE_TOOLS").is_some();
            assert!(!required, "this test needs strace");
            eprintln!("SKIPPED: strace is not installed");
            return None;
        }
        let calls = folder.path().join("calls");
        let output = calls.to_str().expect("the path is text");
        // As a daemon, strace is not the parent of the server.
        let mut strace = vec![
            "strace",
            "--daemonize",
            "--follow-forks",
            "--output",
            output,
        ];
        strace.extend(options);
        let mut all = vec!["--no-console"];
        all.extend(arguments);
        let served = Served::with_command(folder, &all, |command| run_by(&strace, command));
        Some(TracedServer { served, calls })
    }

    /// Stops the server, which has no clients. Returns its folder and the calls from its start to
    /// its end.
    pub fn stop(self) -> (TempDir, String) {
        self.served.send_stop(Stop::USUAL);
        self.stopped()
    }

    /// Waits for the end of the server, which was told to stop. Returns as
    /// [`TracedServer::stop`] does.
    pub fn stopped(mut self) -> (TempDir, String) {
        let server = self.served.child.id();
        assert_eq!(self.served.wait(), Some(0), "{}", self.served.log());
        let read = || fs::read_to_string(&self.calls).expect("strace writes it");
        wait_until("strace has written everything", || {
            has_exited(&read(), server)
        });
        let calls = read();
        (self.served.into_folder(), calls)
    }
}

/// Whether the calls have the end of this process. strace pads short numbers with blanks.
fn has_exited(calls: &str, process: u32) -> bool {
    calls.lines().any(|line| {
        let (number, event) = line.split_once(' ').unwrap_or_default();
        number == process.to_string() && event.trim_start().starts_with("+++ exited with")
    })
}

//! A server of the bench's own: this program as a child process, in a temporary folder.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use arauto::{Client, Endpoint, Report};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tempfile::TempDir;

use crate::cli::exit::{Failure, sysexits};
use crate::cli::settings::environment::variables;
use crate::load::clocks::Process;
use crate::load::server_process::ServerProcess;

/// How long to wait between two attempts to connect to a server that starts.
const RETRY: Duration = Duration::from_millis(2);

/// A running server.
pub(super) struct BenchServer {
    /// Declared before the folder so that it is killed first.
    server: ServerProcess,
    arguments: Vec<String>,
    folder: TempDir,
}

/// How the server has stopped.
pub(super) struct Stopped {
    pub(super) exit: Option<i32>,
    pub(super) report: Report,
    /// When the process had ended.
    pub(super) at: Instant,
    /// The CPU seconds that it used in all.
    pub(super) cpu_seconds: Option<f64>,
}

impl BenchServer {
    /// Starts it with these further arguments of `arauto serve`.
    pub(super) async fn start(arguments: &[String]) -> Result<BenchServer, Failure> {
        let folder = tempfile::Builder::new().prefix("arauto-bench-").tempdir();
        let folder = folder.map_err(|error| {
            let message = format!("no temporary folder: {error}; set TMPDIR");
            Failure::new(sysexits::CANTCREAT, message)
        })?;
        let mut server = BenchServer {
            server: spawn(&folder, arguments)?,
            arguments: arguments.to_vec(),
            folder,
        };
        server.wait_until_it_listens().await?;
        Ok(server)
    }

    /// Starts it again in the same folder, after [`BenchServer::stop`].
    pub(super) async fn start_again(&mut self) -> Result<(), Failure> {
        self.server = spawn(&self.folder, &self.arguments)?;
        self.wait_until_it_listens().await
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint::Unix(socket(&self.folder))
    }

    pub(super) fn process(&self) -> Process {
        self.server.process()
    }

    /// Sends SIGTERM.
    pub(super) fn order_stop(&self) -> Result<(), Failure> {
        kill_process(self.pid()?, Signal::TERM)
            .map_err(|error| self.failed(&format!("it could not be told to stop: {error}")))
    }

    /// Stops it.
    ///
    /// # Errors
    /// It cannot be stopped, or does not exit with 0.
    pub(super) async fn stop(&mut self) -> Result<Stopped, Failure> {
        self.order_stop()?;
        let stopped = self.stopped().await?;
        match stopped.exit {
            Some(0) => Ok(stopped),
            exit => {
                let exit = exit.map_or("a signal".to_owned(), |code| format!("exit {code}"));
                Err(self.failed(&format!("it stopped with {exit}")))
            }
        }
    }

    /// Waits for its end, and reads its report.
    pub(super) async fn stopped(&mut self) -> Result<Stopped, Failure> {
        let pid = self.pid()?;
        // A zombie still has its CPU time: it is read before the zombie is reaped.
        let ended = tokio::task::spawn_blocking(move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            waitid(WaitId::Pid(pid), options).map(|_| Instant::now())
        });
        let ended = ended.await.expect("waitid does not panic");
        let at = ended.map_err(|error| self.failed(&format!("waiting for it: {error}")))?;
        let cpu_seconds = self.process().cpu_seconds();
        let exit = self.server.wait().as_ref().ok().and_then(ExitStatus::code);
        let report = fs::read_to_string(self.folder.path().join("report.json"))
            .map_err(|error| error.to_string())
            .and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
        let report = report.map_err(|error| self.failed(&format!("its report: {error}")))?;
        Ok(Stopped {
            exit,
            report,
            at,
            cpu_seconds,
        })
    }

    async fn wait_until_it_listens(&mut self) -> Result<(), Failure> {
        let endpoint = self.endpoint();
        while Client::connect(&endpoint).await.is_err() {
            if let Some(failure) = self.server.start_failure() {
                return Err(self.failed(&failure));
            }
            tokio::time::sleep(RETRY).await;
        }
        Ok(())
    }

    fn pid(&self) -> Result<Pid, Failure> {
        let id = i32::try_from(self.process().0).ok();
        id.and_then(Pid::from_raw)
            .ok_or_else(|| self.failed("it has no process id"))
    }

    /// Returns a failure that shows the end of its log.
    pub(super) fn failed(&self, what: &str) -> Failure {
        let message = format!("the bench's own server: {what}{}", self.server.last_lines());
        Failure::new(sysexits::SOFTWARE, message)
    }
}

fn socket(folder: &TempDir) -> PathBuf {
    folder.path().join("bench.sock")
}

fn spawn(folder: &TempDir, arguments: &[String]) -> Result<ServerProcess, Failure> {
    let failed = |error: std::io::Error| {
        let message = format!("no server of the bench's own could be started: {error}");
        Failure::new(sysexits::OSERR, message)
    };
    let path = folder.path();
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(program);
    command.args(["serve", "--no-console"]);
    command.args(["--die-with", &std::process::id().to_string()]);
    command.arg("--listen");
    command.arg(format!("unix:{}", socket(folder).display()));
    command.arg("--report").arg(path.join("report.json"));
    let has_data = |argument: &String| argument == "--data" || argument.starts_with("--data=");
    if !arguments.iter().any(has_data) {
        command.arg("--data").arg(path.join("data"));
    }
    command.args(arguments).env_remove("NOTIFY_SOCKET");
    for variable in variables() {
        command.env_remove(variable); // the arguments say which server is measured
    }
    // Ctrl-C is for the bench, which stops its server itself.
    command.process_group(0);
    ServerProcess::start(&mut command, &path.join("log")).map_err(failed)
}

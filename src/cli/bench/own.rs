//! A server of the bench's own: this program once more, as a child process, in a
//! folder that goes with it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use arauto::{Client, Endpoint, Report};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tempfile::TempDir;

use super::process::Process;
use crate::cli::exit::{Failure, sysexits};

/// It listens within this time, or it has failed.
const START: Duration = Duration::from_secs(60);

/// How long to wait between two looks at whether it listens.
const LOOK: Duration = Duration::from_millis(2);

/// How much of its log is shown where it fails.
const LAST_LINES: usize = 10;

/// A running child.
pub(super) struct OwnServer {
    child: Child,
    arguments: Vec<String>,
    folder: TempDir,
}

/// How its stop went.
pub(super) struct Stopped {
    pub(super) exit: Option<i32>,
    pub(super) report: Report,
    /// When the process was over.
    pub(super) at: Instant,
    /// The CPU seconds of its whole life.
    pub(super) cpu_seconds: Option<f64>,
}

impl OwnServer {
    /// Starts it; `arguments` are more of `arauto serve`.
    pub(super) async fn start(arguments: &[String]) -> Result<OwnServer, Failure> {
        let folder = tempfile::Builder::new().prefix("arauto-bench-").tempdir();
        let folder = folder.map_err(|error| {
            let message = format!("no temporary folder: {error}; set TMPDIR");
            Failure::new(sysexits::CANTCREAT, message)
        })?;
        let mut server = OwnServer {
            child: spawn(&folder, arguments)?,
            arguments: arguments.to_vec(),
            folder,
        };
        server.listens().await?;
        Ok(server)
    }

    /// Starts it again in the same folder, after [`OwnServer::stop`].
    pub(super) async fn start_again(&mut self) -> Result<(), Failure> {
        self.child = spawn(&self.folder, &self.arguments)?;
        self.listens().await
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint::Unix(socket(&self.folder))
    }

    pub(super) fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// SIGTERM.
    pub(super) fn order_stop(&self) -> Result<(), Failure> {
        kill_process(self.pid()?, Signal::TERM)
            .map_err(|error| self.failed(&format!("it could not be told to stop: {error}")))
    }

    /// Stops it; where it does not stop well by itself, that is a failure.
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

    /// Waits for its end, and reads what it leaves behind.
    pub(super) async fn stopped(&mut self) -> Result<Stopped, Failure> {
        let pid = self.pid()?;
        // A zombie still tells its times: look before it is taken away.
        let ended = tokio::task::spawn_blocking(move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            waitid(WaitId::Pid(pid), options).map(|_| Instant::now())
        });
        let ended = ended.await.expect("it does not panic");
        let at = ended.map_err(|error| self.failed(&format!("waiting for it: {error}")))?;
        let cpu_seconds = self.process().cpu_seconds();
        let exit = self.child.wait().as_ref().ok().and_then(ExitStatus::code);
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

    async fn listens(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let endpoint = self.endpoint();
        while Client::connect(&endpoint).await.is_err() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.failed(&format!("it did not start: {status}")));
            }
            if began.elapsed() > START {
                return Err(self.failed("it does not listen"));
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    fn pid(&self) -> Result<Pid, Failure> {
        let id = i32::try_from(self.child.id()).ok();
        id.and_then(Pid::from_raw)
            .ok_or_else(|| self.failed("it has no process id"))
    }

    /// With the end of its log, which says more.
    pub(super) fn failed(&self, what: &str) -> Failure {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n  ");
        let message = format!("the bench's own server: {what}\n  {last}");
        Failure::new(sysexits::SOFTWARE, message)
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let _ = self.child.kill(); // or it has ended
        let _ = self.child.wait();
    }
}

fn socket(folder: &TempDir) -> PathBuf {
    folder.path().join("bench.sock")
}

fn spawn(folder: &TempDir, arguments: &[String]) -> Result<Child, Failure> {
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
    let mut log = File::options();
    log.create(true).append(true); // a second start goes on
    let log = log.open(path.join("log")).map_err(failed)?;
    command
        .args(arguments)
        .env_remove("NOTIFY_SOCKET")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    apart(&mut command);
    command.spawn().map_err(failed)
}

/// Ctrl-C is for the bench, which stops its server itself.
fn apart(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

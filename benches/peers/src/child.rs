//! Server processes that end with this one, whatever ends it.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::time::ClockId;
use nix::unistd::Pid;
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::affinity;

const COMES_UP_WITHIN: Duration = Duration::from_secs(15);

/// A running server; dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Server {
    /// Starts `words`, on one cpu only if that is said, with its output in a file
    /// in `folder`.
    pub fn start(words: &[String], cpu: Option<usize>, folder: &Path) -> Result<Server> {
        let name = words.first().context("no program")?.clone();
        let log = folder.join("output");
        let output = File::create(&log)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("exec");
        if let Some(cpu) = cpu {
            command.arg("--cpu").arg(cpu.to_string());
        }
        command.arg("--").args(words).current_dir(folder);
        command.stdin(Stdio::null());
        command.stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("start {name}"))?;
        Ok(Server { child, name, log })
    }

    /// Waits until `is_up` says so.
    pub fn wait_until(&mut self, mut is_up: impl FnMut() -> Result<()>) -> Result<()> {
        let begin = Instant::now();
        loop {
            let Err(error) = is_up() else {
                return Ok(());
            };
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}:\n{}", self.name, self.last_words());
            }
            if begin.elapsed() > COMES_UP_WITHIN {
                let words = self.last_words();
                bail!("{} did not come up ({error:#}):\n{words}", self.name);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The cpu time that it has used: of all of its threads, ended ones included.
    pub fn cpu(&self) -> Result<Duration> {
        let pid = Pid::from_raw(i32::try_from(self.child.id())?);
        Ok(ClockId::pid_cpu_clock_id(pid)?.now()?.into())
    }

    /// The end of what it has printed.
    pub fn last_words(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Becomes the program `words`, which dies when this process's parent does.
pub fn exec(words: &[String], cpu: Option<usize>) -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if let Some(cpu) = cpu {
        affinity::pin_to(cpu)?;
    }
    let (program, arguments) = words.split_first().context("no program")?;
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("run {program}"))
}

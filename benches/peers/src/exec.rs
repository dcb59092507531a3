//! Becomes another program, which ends with this one, whatever ends it.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::affinity;

/// Returns the command that runs `words` through [`exec`], on one cpu only if that is said.
pub fn command(words: &[String], cpu: Option<usize>) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("exec");
    if let Some(cpu) = cpu {
        command.arg("--cpu").arg(cpu.to_string());
    }
    command.arg("--").args(words);
    Ok(command)
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

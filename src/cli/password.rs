//! Passwords: from a file, the environment or a prompt; never from an argument,
//! where every other user of the machine could read them.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use super::exit::{Failure, sysexits};

const VARIABLE: &str = "ARAUTO_PASSWORD";

#[derive(clap::Args)]
pub(super) struct PasswordArgs {
    /// Read the password from the first line of this file [default: $ARAUTO_PASSWORD,
    /// else a prompt].
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl PasswordArgs {
    pub(super) fn password(&self, prompt: &str) -> Result<String, Failure> {
        if let Some(path) = &self.password_file {
            return from_file(path);
        }
        match std::env::var(VARIABLE) {
            Ok(password) => Ok(password),
            Err(std::env::VarError::NotUnicode(_)) => {
                let message = format!("{VARIABLE} is not utf-8");
                Err(Failure::new(sysexits::DATAERR, message))
            }
            Err(std::env::VarError::NotPresent) => ask(prompt),
        }
    }
}

fn from_file(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("the password file {}: {error}", path.display());
        Failure::new(sysexits::NOINPUT, message)
    })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn ask(prompt: &str) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        let message = format!(
            "no password: there is no terminal to ask at; set {VARIABLE} or give --password-file"
        );
        return Err(Failure::new(sysexits::NOPERM, message));
    }
    rpassword::prompt_password(prompt).map_err(|error| {
        let message = format!("the password could not be read: {error}");
        Failure::new(sysexits::NOINPUT, message)
    })
}

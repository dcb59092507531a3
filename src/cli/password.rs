//! Reads passwords from a file, the environment or a prompt. Never from an argument, which other
//! users of the machine can read.

use std::io;
use std::path::{Path, PathBuf};

use super::bounded;
use super::escape::one_line;
use super::exit::{Failure, sysexits};
use super::os;

const VARIABLE: &str = "ARAUTO_PASSWORD";

/// The longest first line of a password file, in bytes.
const LONGEST: usize = 4096;

#[derive(clap::Args)]
pub(super) struct PasswordArgs {
    /// Read the password from the first line of this file; `-` is stdin [default:
    /// $ARAUTO_PASSWORD, or a prompt at the terminal].
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
                let message = format!("{VARIABLE} is not UTF-8");
                Err(Failure::new(sysexits::DATAERR, message))
            }
            Err(std::env::VarError::NotPresent) => ask(prompt),
        }
    }
}

fn from_file(path: &Path) -> Result<String, Failure> {
    bounded::read_first_line(path, LONGEST).map_err(|error| {
        let message = format!("cannot read the password file {}: {error}", path.display());
        Failure::new(error.code(), message)
    })
}

/// Asks at the terminal, even if stdin is a pipe.
fn ask(prompt: &str) -> Result<String, Failure> {
    match os::read_hidden(&one_line(prompt)) {
        Ok(Some(password)) => Ok(password),
        Ok(None) => Err(Failure::new(sysexits::NOPERM, "no password was entered")),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(Failure::new(
            sysexits::DATAERR,
            format!("cannot read the password: {error}"),
        )),
        Err(_) => {
            let message = format!(
                "no password, and no terminal to ask for one; set {VARIABLE} or give \
                 --password-file"
            );
            Err(Failure::new(sysexits::NOPERM, message))
        }
    }
}

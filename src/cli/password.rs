//! Passwords: from a file, the environment or a prompt; never from an argument,
//! where every other user of the machine could read them.

use std::io;
use std::path::{Path, PathBuf};

use super::bounded;
use super::exit::{Failure, sysexits};
use super::os;
use super::output::one_line;

const VARIABLE: &str = "ARAUTO_PASSWORD";

/// The longest first line of a password file, in bytes.
const LONGEST: usize = 4096;

#[derive(clap::Args)]
pub(super) struct PasswordArgs {
    /// Read the password from the first line of this file, `-` is stdin [default:
    /// $ARAUTO_PASSWORD, else a prompt at the terminal].
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
    bounded::read_first_line(path, LONGEST).map_err(|error| {
        let message = format!("the password file {}: {error}", path.display());
        Failure::new(error.code(), message)
    })
}

/// Asks at the terminal, which is there even where stdin brings what is to be sent.
fn ask(prompt: &str) -> Result<String, Failure> {
    match os::read_hidden(&one_line(prompt)) {
        Ok(Some(password)) => Ok(password),
        Ok(None) => Err(Failure::new(sysexits::NOPERM, "no password was typed")),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(Failure::new(
            sysexits::DATAERR,
            format!("the password: {error}"),
        )),
        Err(_) => {
            let message = format!(
                "no password: there is no terminal to ask at; set {VARIABLE} or give \
                 --password-file"
            );
            Err(Failure::new(sysexits::NOPERM, message))
        }
    }
}

//! Where a leitor stopped reading, kept across its restarts.

mod state;

use std::io;
use std::path::{Path, PathBuf};

use arauto::ResumePoint;

use super::exit::{Failure, sysexits};
use super::whole_file;

/// The file of `leitor --resume`.
pub(super) struct StateFile {
    path: PathBuf,
}

impl StateFile {
    /// The file, and what it holds, where it is there.
    pub(super) fn open(path: &Path) -> Result<(StateFile, Option<ResumePoint>), Failure> {
        let file = StateFile {
            path: path.to_owned(),
        };
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((file, None)),
            Err(error) => return Err(file.failed(sysexits::NOINPUT, &error)),
        };
        let point = state::read(&bytes).map_err(|error| {
            let advice = "remove it to begin with what comes now";
            let message = format!("{} is no resume file: {error}; {advice}", path.display());
            Failure::new(sysexits::DATAERR, message)
        })?;
        Ok((file, Some(point)))
    }

    /// Replaces what it holds, whole or not at all. The bytes survive the end of
    /// this process; only a crash of the machine may bring an older state back,
    /// and then broadcasts come twice rather than never.
    pub(super) fn save(&self, point: &ResumePoint) -> Result<(), Failure> {
        let saved = whole_file::replace(&self.path, |file| state::write(point, file));
        saved.map_err(|error| self.failed(sysexits::CANTCREAT, &error))
    }

    fn failed(&self, code: u8, error: &io::Error) -> Failure {
        Failure::new(
            code,
            format!("the resume file {}: {error}", self.path.display()),
        )
    }
}

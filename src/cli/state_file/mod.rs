//! Where a leitor stopped reading, kept across its restarts.

mod state;

use std::io;
use std::path::{Path, PathBuf};

use arauto::ResumePoint;

use super::bounded::{self, ReadError};
use super::exit::{Failure, sysexits};
use super::whole_file;

/// The longest resume file, in bytes.
const LONGEST: usize = 64 << 10;

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
        whole_file::check(path).map_err(|error| file.failed(sysexits::CANTCREAT, &error))?;
        if whole_file::forgets(path) {
            return Ok((file, None)); // /dev/null: begin with what comes now, each time
        }
        let bytes = match bounded::read_bytes(path, LONGEST) {
            Ok(bytes) => bytes,
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((file, None));
            }
            Err(error) => {
                let message = format!("the resume file {}: {error}", path.display());
                return Err(Failure::new(error.code(), message));
            }
        };
        let point = state::read(&bytes).map_err(|error| {
            let advice = "remove it to begin with what comes now";
            let message = format!("{} is no resume file: {error}; {advice}", path.display());
            Failure::new(sysexits::DATAERR, message)
        })?;
        Ok((file, Some(point)))
    }

    /// Replaces what it holds, whole or not at all; it is on disk before this returns, and
    /// so before the server hears that it has been read up to there.
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

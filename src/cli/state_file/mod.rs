//! The resume file of `arauto leitor`: where it stopped reading, for its next start.

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
    /// Opens the file, and reads the point that it holds if it exists.
    ///
    /// # Errors
    /// The file cannot be written, cannot be read, or is not a resume file.
    pub(super) fn open(path: &Path) -> Result<(StateFile, Option<ResumePoint>), Failure> {
        let file = StateFile {
            path: path.to_owned(),
        };
        whole_file::check(path).map_err(|error| file.failed(sysexits::CANTCREAT, &error))?;
        if whole_file::is_stream(path) {
            return Ok((file, None)); // /dev/null: nothing to resume from
        }
        let bytes = match bounded::read_bytes(path, LONGEST) {
            Ok(bytes) => bytes,
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((file, None));
            }
            Err(error) => {
                let message = format!("cannot read the resume file {}: {error}", path.display());
                return Err(Failure::new(error.code(), message));
            }
        };
        let point = state::read(&bytes).map_err(|error| {
            let advice = "remove it to begin with new broadcasts";
            let message = format!("{} is not a resume file: {error}; {advice}", path.display());
            Failure::new(sysexits::DATAERR, message)
        })?;
        Ok((file, Some(point)))
    }

    /// Replaces the point in the file. It is on disk when this returns, so before the server gets
    /// the acknowledgement up to there.
    ///
    /// # Errors
    /// The file could not be written; it is unchanged then.
    pub(super) fn save(&self, point: &ResumePoint) -> Result<(), Failure> {
        let saved = whole_file::replace(&self.path, |file| state::write(point, file));
        saved.map_err(|error| self.failed(sysexits::CANTCREAT, &error))
    }

    fn failed(&self, code: u8, error: &io::Error) -> Failure {
        Failure::new(
            code,
            format!(
                "cannot write the resume file {}: {error}",
                self.path.display()
            ),
        )
    }
}

//! Where a leitor stopped reading, kept across its restarts.

use std::io;
use std::path::{Path, PathBuf};

use arauto::{ResumePoint, Seq};
use serde::{Deserialize, Serialize};

use super::exit::{Failure, sysexits};
use super::whole_file;

/// The file of `leitor --resume`.
pub(super) struct StateFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    stream: String,
    seq: Seq,
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
        let state: State = serde_json::from_slice(&bytes).map_err(|error| {
            let advice = "remove it to begin with what comes now";
            let message = format!("{} is no resume file: {error}; {advice}", path.display());
            Failure::new(sysexits::DATAERR, message)
        })?;
        let point = ResumePoint {
            stream: state.stream,
            after: state.seq,
        };
        Ok((file, Some(point)))
    }

    /// Replaces what it holds, whole or not at all. The bytes survive the end of
    /// this process; only a crash of the machine may bring an older state back,
    /// and then broadcasts come twice rather than never.
    pub(super) fn save(&self, point: &ResumePoint) -> Result<(), Failure> {
        let state = State {
            stream: point.stream.clone(),
            seq: point.after,
        };
        let saved = whole_file::replace(&self.path, |file| {
            serde_json::to_writer(&mut *file, &state)?;
            file.write_all(b"\n")
        });
        saved.map_err(|error| self.failed(sysexits::CANTCREAT, &error))
    }

    fn failed(&self, code: u8, error: &io::Error) -> Failure {
        Failure::new(
            code,
            format!("the resume file {}: {error}", self.path.display()),
        )
    }
}

//! The outbox file of `arauto escritor --once-only`: the messages that have no answer yet, with
//! their numbers, for the next start.
//!
//! Invariants:
//! - a message is in the file, on disk, before it is sent;
//! - one process has the file at a time, as two would give two messages the same number. The lock
//!   is on a second file, because the first one is replaced when it is written.

mod state;

use std::collections::VecDeque;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

pub(super) use self::state::{MessageOptions, Outbox, OutboxMessage};
use super::bounded::{self, ReadError};
use super::exit::{Failure, sysexits};
use super::whole_file;

/// The longest outbox file, in bytes.
const LONGEST: usize = 64 << 20;

/// The file of `escritor --once-only`.
pub(super) struct OutboxFile {
    path: PathBuf,
    /// Locked until it is closed.
    _lock: File,
}

impl OutboxFile {
    /// Opens the file, and reads the outbox that it holds. A file that does not exist is an empty
    /// outbox of a new producer.
    ///
    /// # Errors
    /// Another process has the file; it cannot be written or read; or it is not an outbox.
    pub(super) fn open(path: &Path) -> Result<(OutboxFile, Outbox), Failure> {
        if whole_file::is_stream(path) {
            let message = format!("{}: this is no file that keeps messages", path.display());
            return Err(Failure::new(sysexits::USAGE, message));
        }
        whole_file::check(path).map_err(|error| cannot("write", path, &error))?;
        let file = OutboxFile {
            path: path.to_owned(),
            _lock: lock(path)?,
        };
        let bytes = match bounded::read_bytes(path, LONGEST) {
            Ok(bytes) => bytes,
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((file, Outbox::new()?));
            }
            Err(error) => {
                let message = format!("cannot read the outbox {}: {error}", path.display());
                return Err(Failure::new(error.code(), message));
            }
        };
        let outbox = state::read(&bytes).map_err(|error| {
            let advice = "choose the name of another file, or of none that exists";
            let message = format!("{} is not an outbox: {error}; {advice}", path.display());
            Failure::new(sysexits::DATAERR, message)
        })?;
        Ok((file, outbox))
    }

    /// Replaces the outbox in the file. It is on disk when this returns.
    ///
    /// # Errors
    /// The file could not be written, or would be too long; it is unchanged then.
    pub(super) fn save(&self, outbox: &Outbox) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        let filled = state::write(outbox, &mut bytes);
        if bytes.len() > LONGEST {
            let path = self.path.display();
            let message = format!("a message is too long for the outbox {path}, {LONGEST} bytes");
            return Err(Failure::new(sysexits::DATAERR, message));
        }
        let saved = filled.and_then(|()| {
            whole_file::replace(&self.path, |file| io::Write::write_all(file, &bytes))
        });
        saved.map_err(|error| cannot("write", &self.path, &error))
    }

    /// Returns the path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Outbox {
    /// Returns an empty outbox of a producer with a new name.
    ///
    /// # Errors
    /// The system has no randomness.
    fn new() -> Result<Outbox, Failure> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| {
            let message = format!("the system has no randomness: {error}");
            Failure::new(sysexits::OSERR, message)
        })?;
        Ok(Outbox {
            producer: format!("escritor-{}", state::digits(&bytes)),
            first: 1,
            messages: VecDeque::new(),
        })
    }

    /// Removes the first message: it has its answer.
    pub(super) fn note_answer(&mut self) {
        if self.messages.pop_front().is_some() {
            self.first += 1;
        }
    }
}

/// Locks the file beside the outbox.
fn lock(path: &Path) -> Result<File, Failure> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let mut options = OpenOptions::new();
    let opened = options.create(true).truncate(false).write(true).open(&name);
    let file = opened.map_err(|error| cannot("write", &name, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!(
                "another escritor uses the outbox {}: wait for its end, or choose another file",
                path.display()
            );
            Err(Failure::new(sysexits::TEMPFAIL, message))
        }
        Err(TryLockError::Error(error)) => Err(cannot("lock", &name, &error)),
    }
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot {what} the outbox {}: {error}", path.display());
    Failure::new(sysexits::CANTCREAT, message)
}

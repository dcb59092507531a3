//! The audit log of a server: records of logins, refusals, changes and acts, a JSON object a line.
//!
//! The problem: an operator wants to know later what happened, also after a crash. No client may be
//! able to fill the disk with records, and a disk that is full or hangs must not delay the server.
//!
//! - [`record`] makes a line of a record;
//! - [`queue`] and [`repeats`] hold what waits, within bounds: records beyond them are counted. Both
//!   are plain state, which [`pending`] joins;
//! - [`writer`] is the thread that writes to the [`file`] and syncs it, once a batch. It is a thread
//!   of its own, because the one of the log on stderr waits for a terminal or a pipe, and the
//!   store's for the database: each of them would delay the other's work;
//! - [`events`] says which record each event is.
//!
//! Invariants: adding a record takes a lock that is never held while the disk is waited for; a
//! record that is missing is counted in a later one.

mod events;
mod file;
mod pending;
mod queue;
mod record;
mod repeats;
mod shared;
mod writer;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use arauto::internal::accounts::DataFolder;
use arauto::{Report, Trouble};

use self::file::AuditFile;
use self::pending::{Moment, Pending};
use self::record::{Fields, bounded};
use self::shared::Shared;
use super::exit::{Failure, sysexits};
use super::{os, whole_file};
use crate::admin::AuditFigures;

/// How long the disk may take before it counts as a problem.
const SLOW: Duration = Duration::from_secs(2);

/// The most problems of a stop in its record.
const MOST_TROUBLE: usize = 20;

/// Checks that a server could write an audit log at this path. It creates a file beside it for a
/// moment.
///
/// # Errors
/// See [`AuditLog::start`].
pub(super) fn check(path: &Path) -> Result<(), Failure> {
    check_name(path)?;
    let checked = match os::has_file_to_append(path) {
        Ok(false) => whole_file::check(path),
        found => found.map(drop),
    };
    checked.map_err(|error| not_opened(path, &error))
}

fn check_name(path: &Path) -> Result<(), Failure> {
    if DataFolder::is_own_file(path) {
        let problem = "this is the name of a file in a data folder; choose another one";
        let error = io::Error::new(io::ErrorKind::InvalidInput, problem);
        return Err(not_opened(path, &error));
    }
    Ok(())
}

fn not_opened(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot open the audit log {}: {error}", path.display());
    Failure::new(sysexits::CANTCREAT, message)
}

/// The audit log of this process. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct AuditLog {
    shared: Arc<Shared>,
}

impl AuditLog {
    /// Opens the file, and starts the thread that writes it.
    ///
    /// # Errors
    /// The file cannot be an audit log, or cannot be opened; or the system has no thread.
    pub(super) fn start(path: &Path) -> Result<AuditLog, Failure> {
        check_name(path)?;
        let file = AuditFile::open(path).map_err(|error| not_opened(path, &error))?;
        let shared = Arc::new(Shared::new(path.to_owned()));
        let written = Arc::clone(&shared);
        let started = thread::Builder::new()
            .name("arauto-audit".to_owned())
            .spawn(move || writer::run(&written, file));
        started.map_err(|error| {
            let message = format!("cannot start a thread for the audit log: {error}");
            Failure::new(sysexits::OSERR, message)
        })?;
        Ok(AuditLog { shared })
    }

    /// Returns the path of its file.
    pub(super) fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Looks at the path now, and opens it again if it leads to another file or to none. For SIGHUP.
    pub(super) fn reopen(&self) {
        self.shared.lock().is_check_due = true;
        self.shared.changed.notify_all();
    }

    /// Writes that the server starts, on these endpoints.
    pub(super) fn started(&self, listen: Vec<String>) {
        let fields = Fields {
            version: Some(env!("CARGO_PKG_VERSION")),
            pid: Some(std::process::id()),
            listen: Some(listen),
            ..Fields::default()
        };
        self.add(|pending, now| pending.push("start", &fields, now));
    }

    /// Writes the end of a server that has stopped, as the last record.
    pub(super) fn stopped(&self, report: &Report) {
        let sessions = report.sessions.iter();
        let trouble = report.trouble.iter().take(MOST_TROUBLE);
        let trouble: Vec<String> = trouble
            .map(Trouble::to_string)
            .map(|text| bounded(&text).to_owned())
            .collect();
        let cause = report.reason.to_string();
        self.close(&Fields {
            cause: Some(&cause),
            exit: Some(report.exit),
            sessions: Some(report.sessions.len()),
            incomplete: Some(sessions.clone().filter(|one| !one.is_whole()).count()),
            accepted: Some(sessions.clone().map(|one| one.accepted).sum()),
            refused: Some(sessions.map(|one| one.refused).sum()),
            head: Some(report.head.0),
            trouble: (!trouble.is_empty()).then_some(trouble),
            ..Fields::default()
        });
    }

    /// Writes that the server did not start, as the last record.
    pub(super) fn failed(&self, failure: &Failure) {
        self.close(&Fields {
            cause: Some("start-failed"),
            exit: Some(failure.code()),
            reason: Some(bounded(failure.message())),
            ..Fields::default()
        });
    }

    /// Waits until everything is on the disk, for this long at most.
    ///
    /// # Errors
    /// Not everything is on the disk.
    pub(super) fn wait(&self, limit: Duration) -> Result<(), Failure> {
        let until = Instant::now() + limit;
        let mut state = self.shared.lock();
        while state.end.is_none()
            && !self
                .shared
                .changed
                .wait_until(&mut state, until)
                .timed_out()
        {}
        let problem = match state.end.clone() {
            Some(Ok(())) => return Ok(()),
            Some(Err(problem)) => problem,
            None => "the disk does not answer, so that the last records may be missing".to_owned(),
        };
        let path = self.shared.path.display();
        let message = format!("cannot write the audit log {path}: {problem}");
        Err(Failure::new(sysexits::CANTCREAT, message))
    }

    /// Returns how many records were written and lost, and the problem if there is one.
    fn figures(&self) -> AuditFigures {
        let state = self.shared.lock();
        let is_slow = state
            .writing_since
            .is_some_and(|since| since.elapsed() > SLOW);
        let slow = || is_slow.then(|| "the disk does not answer".to_owned());
        AuditFigures {
            written: state.written,
            lost: state.pending.lost(),
            problem: state.problem.as_deref().map(str::to_owned).or_else(slow),
        }
    }

    /// Adds a record, unless the log is closed.
    fn add(&self, add: impl FnOnce(&mut Pending, Moment)) {
        let mut state = self.shared.lock();
        if state.is_closed {
            return;
        }
        let was_losing = state.pending.is_losing();
        add(&mut state.pending, Moment::now());
        let begins_to_lose = !was_losing && state.pending.is_losing();
        drop(state);
        self.shared.changed.notify_all();
        if begins_to_lose {
            let path = self.shared.path.display();
            tracing::error!(%path, "audit records are lost: too many wait to be written");
        }
    }

    fn close(&self, fields: &Fields<'_>) {
        let mut state = self.shared.lock();
        if !state.is_closed {
            state.pending.push_last("stop", fields, Moment::now());
            state.is_closed = true;
        }
        drop(state);
        self.shared.changed.notify_all();
    }
}

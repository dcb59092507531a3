//! Writes the final output of a server: its report, and the end of its log.
//!
//! Both have a deadline, as a disk or a terminal may hang: a stop that took its whole
//! budget is over within one second more.

use std::any::Any;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arauto::Report;
use parking_lot::Mutex;

use crate::cli::audit::AuditLog;
use crate::cli::exit::{Failure, complain, sysexits};
use crate::cli::screen::Screen;
use crate::cli::stopping::SignalReceiver;
use crate::cli::whole_file::{self, Durability};

/// Time for writing the report.
const WRITING: Duration = Duration::from_millis(600);

/// The part of that time for the disk to confirm the report, or for a FIFO's reader to open
/// it. The report is in its place even where the disk does not confirm it.
const CONFIRMING: Duration = Duration::from_millis(400);

/// Time for the disk to confirm the audit log, from its last record on.
const AUDITING: Duration = Duration::from_millis(700);

/// Time for flushing the log and the console.
const FLUSHING: Duration = Duration::from_millis(300);

/// The destinations of the final output. The server's thread sets them, the first thread uses
/// them; clones share one state.
#[derive(Clone, Default)]
pub(super) struct FinalOutput(Arc<Mutex<OutputPaths>>);

#[derive(Default)]
struct OutputPaths {
    report: Option<PathBuf>,
    audit: Option<AuditLog>,
    screen: Option<Screen>,
    /// Flushes the log when it is dropped.
    log: Option<Box<dyn Any + Send>>,
}

impl FinalOutput {
    /// The report goes to this file; `None`: it is not written.
    pub(super) fn report_to(&self, path: Option<&Path>) {
        self.0.lock().report = path.map(Path::to_owned);
    }

    /// Returns the file that the report goes to; `None`: it is not written.
    pub(super) fn report(&self) -> Option<PathBuf> {
        self.0.lock().report.clone()
    }

    /// The last record goes to this audit log.
    pub(super) fn audit_to(&self, audit: AuditLog) {
        self.0.lock().audit = Some(audit);
    }

    /// The log is flushed by dropping `log`; the console is on `screen`.
    pub(super) fn flush_at_the_end(&self, screen: Screen, log: impl Send + 'static) {
        let mut places = self.0.lock();
        places.screen = Some(screen);
        places.log = Some(Box::new(log));
    }

    /// Writes the report, where one is wanted, and flushes the log.
    pub(super) fn finish(
        &self,
        receiver: &mut SignalReceiver,
        report: Report,
    ) -> Result<(), Failure> {
        let (path, audit) = {
            let mut places = self.0.lock();
            (places.report.take(), places.audit.take())
        };
        // The disk takes the last record while the report is written.
        audit.iter().for_each(|audit| audit.stopped(&report));
        let began = Instant::now();
        let written = path.map_or(Ok(()), |path| write(receiver, report, path));
        let audited = audit.map_or(Ok(()), |audit| wait(receiver, audit, began));
        let outcome = match (written, audited) {
            (Err(failure), Err(other)) => {
                complain(other.message());
                Err(failure)
            }
            (written, audited) => written.and(audited),
        };
        self.flush(receiver);
        outcome
    }

    /// Writes the last record of a server that did not start, and flushes the log.
    pub(super) fn finish_failed(&self, receiver: &mut SignalReceiver, failure: &Failure) {
        let audit = self.0.lock().audit.take();
        if let Some(audit) = audit {
            audit.failed(failure);
            if let Err(problem) = wait(receiver, audit, Instant::now()) {
                complain(problem.message());
            }
        }
        self.flush(receiver);
    }

    /// Flushes the log, and leaves the terminal to others.
    fn flush(&self, receiver: &mut SignalReceiver) {
        let OutputPaths { screen, log, .. } = std::mem::take(&mut *self.0.lock());
        // A stderr that nobody reads holds nothing up.
        let _ = receiver.finish(FLUSHING, move || {
            screen.iter().for_each(Screen::release);
            drop(log);
        });
    }
}

/// Waits until the audit log is on the disk. A disk that hangs holds nothing up for long.
fn wait(receiver: &mut SignalReceiver, audit: AuditLog, began: Instant) -> Result<(), Failure> {
    let left = AUDITING.saturating_sub(began.elapsed());
    let waited = receiver.finish(left + FLUSHING, move || audit.wait(left));
    waited.unwrap_or(Ok(())) // the log's own limit is the shorter one
}

fn write(receiver: &mut SignalReceiver, report: Report, path: PathBuf) -> Result<(), Failure> {
    let to = path.clone();
    let written = receiver.finish(WRITING, move || {
        whole_file::replace_within(&to, CONFIRMING, |file| {
            serde_json::to_writer_pretty(&mut *file, &report)?;
            file.write_all(b"\n")
        })
    });
    let late = || {
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the disk does not answer",
        ))
    };
    let written = written.unwrap_or_else(late);
    match written.map_err(|error| report_failed(&path, &error))? {
        Durability::Synced => Ok(()),
        Durability::Unknown => {
            tracing::warn!("report is written, but was not synced to disk in time");
            Ok(())
        }
    }
}

pub(in crate::cli) fn report_failed(path: &Path, error: &io::Error) -> Failure {
    let message = format!("the report {}: {error}", path.display());
    Failure::new(sysexits::CANTCREAT, message)
}

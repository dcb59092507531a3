//! The settings of this process, as the admin endpoint sees them.

use std::sync::Arc;

use arauto::Report;

use super::reload::Reloader;
use crate::admin::{LastReport, Refusal, Reloaded, Reloading, SettingChange, Settings};
use crate::cli::exit::{Failure, sysexits};
use crate::cli::report;
use crate::cli::stopping::ProgressReporter;
use crate::cli::whole_file;

/// Has the first thread reload the settings, as it does for a signal.
pub(super) struct OperatedSettings {
    pub(super) progress: ProgressReporter<Option<Report>>,
    pub(super) reloader: Arc<Reloader>,
}

impl Settings for OperatedSettings {
    fn reload(&self) -> Reloading {
        let outcome = self.progress.reload();
        Box::pin(async move { answer(outcome.await.unwrap_or_else(|| Err(too_many()))) })
    }

    fn waiting(&self) -> Vec<SettingChange> {
        self.reloader.waiting()
    }

    fn last_report(&self) -> Option<LastReport> {
        let path = self.reloader.final_output.report()?;
        // A device or a pipe has no report to read.
        let is_file = !whole_file::is_stream(&path);
        is_file.then(|| -> LastReport {
            Box::new(move || {
                report::last_page(&path).map_err(|failure| failure.message().to_owned())
            })
        })
    }
}

fn answer(outcome: Result<Reloaded, Failure>) -> Result<Reloaded, Refusal> {
    outcome.map_err(|failure| Refusal {
        error: failure.message().to_owned(),
        exit: failure.code(),
    })
}

fn too_many() -> Failure {
    let message = "too many reloads wait for an earlier one; try again later";
    Failure::new(sysexits::TEMPFAIL, message)
}

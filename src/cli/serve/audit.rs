//! The audit log of a server, as its settings have it.

use std::path::Path;

use arauto::Config;

use super::start_error::start_failed;
use crate::cli::audit::AuditLog;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::settings::Settings;

/// Opens the audit log, if there should be one, and writes that the server starts.
///
/// # Errors
/// See [`AuditLog::start`]; or the report has the same path.
pub(super) fn open(settings: &Settings, config: &Config) -> Result<Option<AuditLog>, Failure> {
    let Some(path) = &settings.audit else {
        return Ok(None);
    };
    check_other_file(settings, path)?;
    // The file may be in the data folder, which is then made.
    let data = config.storage.data.as_deref();
    if let Some(data) = data.filter(|data| path.starts_with(data)) {
        arauto::internal::open_data_folder(data).map_err(|error| start_failed(error.into()))?;
    }
    let audit = AuditLog::start(path)?;
    let listen = config.listen.iter();
    audit.started(listen.map(|listen| listen.endpoint.to_string()).collect());
    Ok(Some(audit))
}

/// Checks that the report does not go to the file of the audit log, which it would replace.
///
/// # Errors
/// It does.
pub(super) fn check_other_file(settings: &Settings, audit: &Path) -> Result<(), Failure> {
    match settings.report.as_deref() == Some(audit) {
        true => {
            let message = "audit and report are the same file: name two";
            Err(Failure::new(sysexits::CONFIG, message))
        }
        false => Ok(()),
    }
}

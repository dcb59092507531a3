//! Reads the settings of a running server again: all of them are applied, or none.
//!
//! [`Reloader`] reads the config file, and has the server take the values. Flags and the variables of
//! the environment are those of the start. [`running`] decides which settings change.

mod running;

use std::path::PathBuf;
use std::time::Duration;

use arauto::{Config, Fingerprint, ReconfigureError, ServerHandle, TlsConfig};
use parking_lot::Mutex;
use tokio::runtime::Builder;
use tokio::time::timeout;

use self::running::RunningSettings;
use super::final_output::{FinalOutput, report_failed};
use super::{admin_endpoint, audit};
use crate::admin::{CurrentToken, Reloaded, SettingChange};
use crate::cli::audit::AuditLog;
use crate::cli::descriptors::fit_sessions;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::settings::Settings;
use crate::cli::settings::sources::Flags;
use crate::cli::settings::values::Values;
use crate::cli::stopping::ReloadOutcome;
use crate::cli::whole_file;

/// How long the parts of the server may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

/// The parts of the process that have settings.
pub(super) struct Reloader {
    pub(super) flags: Flags,
    /// The config file that a flag names.
    pub(super) file: Option<PathBuf>,
    /// The setting `data` of the start.
    pub(super) data: Option<PathBuf>,
    pub(super) server: ServerHandle,
    pub(super) final_output: FinalOutput,
    pub(super) audit: Option<AuditLog>,
    pub(super) token: CurrentToken,
    pub(super) settings: ReloadableSettings,
}

/// The settings that a server runs with.
pub(super) struct ReloadableSettings {
    /// Locked during a reload.
    running: Mutex<Result<RunningSettings, Failure>>,
    /// Those that have other values at a restart, for threads that cannot wait for a reload.
    waiting: Mutex<Vec<SettingChange>>,
}

impl ReloadableSettings {
    /// Begins with the settings of the start. Those that have no form as text cannot be reloaded.
    pub(super) fn new(values: Result<Values, Failure>) -> ReloadableSettings {
        ReloadableSettings {
            running: Mutex::new(values.map(RunningSettings::new)),
            waiting: Mutex::default(),
        }
    }
}

impl Reloader {
    /// Reads the settings, and applies all of them or none. It blocks. The file of the audit log is
    /// opened again whatever the settings are, as it may have been rotated.
    ///
    /// # Errors
    /// A setting is wrong, a file cannot be read, or the server stops. Then nothing has changed.
    pub(super) fn reload(&self) -> Result<ReloadOutcome, Failure> {
        self.audit.iter().for_each(AuditLog::reopen);
        let mut running = self.settings.running.lock();
        let before = running.as_ref().map_err(Failure::clone)?;
        let settings = self.flags.clone().resolve(self.file.as_deref())?.settings;
        let mut config = settings.config()?;
        config.tls = self.certificate(&settings)?;
        fit_sessions(&settings, &mut config);
        if let Some(audit) = &self.audit {
            audit::check_other_file(&settings, audit.path())?;
        }
        let (next, mut changed) = before.with(&settings.values(&config)?);
        if let Some(path) = &settings.report
            && changed.iter().any(|change| change.key == "report")
        {
            whole_file::check(path).map_err(|error| report_failed(path, &error))?;
        }
        let admin = admin_endpoint::read(&settings)?;
        let stop_limit = config.timeouts.drain;
        let old_certificate = self.server.certificate();
        let certificate = self.apply(config)?;
        // From here on nothing fails.
        self.final_output.report_to(settings.report.as_deref());
        if let Some((_, token)) = admin {
            self.token.set(token);
        }
        changed.extend(certificate_change(old_certificate, certificate));
        let restart = next.waiting().to_vec();
        restart.clone_into(&mut self.settings.waiting.lock());
        *running = Ok(next);
        drop(running);
        let reloaded = Reloaded { changed, restart };
        log(&reloaded, certificate);
        Ok(ReloadOutcome {
            reloaded,
            stop_limit,
        })
    }

    /// Returns the settings that have other values at a restart.
    pub(super) fn waiting(&self) -> Vec<SettingChange> {
        self.settings.waiting.lock().clone()
    }

    /// Returns the files of the certificate. By default they are in the data folder that the server
    /// has, whichever it has after a restart.
    fn certificate(&self, settings: &Settings) -> Result<Option<TlsConfig>, Failure> {
        let mut settings = settings.clone();
        settings.data.clone_from(&self.data);
        Ok(settings.config()?.tls)
    }

    /// Has the server take the values.
    fn apply(&self, config: Config) -> Result<Option<Fingerprint>, Failure> {
        // Only a timer is needed: a runtime of its own does not depend on other threads.
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|error| {
            let message = format!("cannot create a runtime for the reload: {error}");
            Failure::new(sysexits::OSERR, message)
        })?;
        let applied = runtime.block_on(async {
            let reconfigured = self.server.reconfigure(config);
            timeout(LIMIT, reconfigured).await
        });
        match applied {
            Ok(outcome) => outcome.map_err(|error| refused(&error)),
            Err(_) => {
                let message = format!(
                    "a part of the server did not answer within {LIMIT:?}, and some limits may have \
                     changed; `arauto status` tells which part is silent"
                );
                Err(Failure::new(sysexits::TEMPFAIL, message))
            }
        }
    }
}

fn refused(error: &ReconfigureError) -> Failure {
    let code = match error {
        ReconfigureError::Stopping => sysexits::TEMPFAIL,
        _ => sysexits::CONFIG,
    };
    Failure::new(code, error.to_string())
}

/// Returns the change of the certificate, which can have the same path and other contents.
fn certificate_change(old: Option<Fingerprint>, new: Option<Fingerprint>) -> Option<SettingChange> {
    (old != new).then(|| SettingChange {
        key: "certificate".to_owned(),
        from: old.map(|fingerprint| fingerprint.to_string()),
        to: new.map(|fingerprint| fingerprint.to_string()),
    })
}

fn log(reloaded: &Reloaded, certificate: Option<Fingerprint>) {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
    for SettingChange { key, from, to } in &reloaded.changed {
        tracing::info!(key, from = text(from), to = text(to), "setting changed");
    }
    for SettingChange { key, from, to } in &reloaded.restart {
        let (running, wanted) = (text(from), text(to));
        tracing::warn!(key, running, wanted, "setting needs a restart to change");
    }
    match certificate {
        Some(fingerprint) => tracing::info!(%fingerprint, "certificate reloaded"),
        None => tracing::debug!("certificate not reloaded: there are no tls endpoints"),
    }
    let (changed, restart) = (reloaded.changed.len(), reloaded.restart.len());
    tracing::info!(changed, restart, "settings reloaded");
}

//! Installs the service: checks the configuration, makes the data folder for the service's account,
//! and tells the service manager.

use std::path::{Path, PathBuf, absolute};
use std::time::Duration;

use arauto::internal::make_service_folder;
use arauto::{Access, Config, Endpoint};
use clap::FromArgMatches;

use crate::cli::exit::{Failure, complain, sysexits};
use crate::cli::os::ServiceInstaller;
use crate::cli::output;
use crate::cli::serve::start_failed;
use crate::cli::settings::Settings;
use crate::cli::settings::keys::command;
use crate::cli::settings::sources::Flags;

/// The time beyond the drain timeout that a stop may take when the system shuts down, for the report
/// and for a machine that is busy then.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(10);

/// The longest time that is asked for.
const LONGEST_SHUTDOWN: Duration = Duration::from_secs(24 * 3600);

/// Installs the service with this config file.
///
/// # Errors
/// The configuration is wrong or has a relative path, the service is installed already, the data
/// folder cannot be made, or the service manager refuses.
pub(super) fn run(config: &Path) -> Result<u8, Failure> {
    let path = absolute(config).map_err(|error| {
        let message = format!("the config file {}: {error}", config.display());
        Failure::new(sysexits::NOINPUT, message)
    })?;
    let settings = settings_of(&path)?;
    let config = settings.config()?;
    config.check().map_err(|error| start_failed(error.into()))?;
    check_paths(&settings, &path)?;
    let program = std::env::current_exe().map_err(|error| {
        let message = format!("the system does not tell the program's path: {error}");
        Failure::new(sysexits::OSERR, message)
    })?;
    let installer = ServiceInstaller::open()?; // before a folder is changed
    let drain = config.timeouts.drain;
    let stop_limit = drain.saturating_add(SHUTDOWN_MARGIN).min(LONGEST_SHUTDOWN);
    if let Some(folder) = &config.storage.data {
        make_service_folder(folder).map_err(|error| {
            let message = format!("the data folder {}: {error}", folder.display());
            Failure::new(sysexits::CANTCREAT, message)
        })?;
    }
    installer.install(&program, &path, stop_limit)?;
    warn_of_closed_pipes(&config);
    output::print("the service is installed; start it with `arauto service start`\n")
}

/// Reads the config file alone: the service does not have the variables of this environment.
fn settings_of(path: &Path) -> Result<Settings, Failure> {
    let matches = command().get_matches_from(None::<&str>);
    let flags = Flags::from_arg_matches(&matches).expect("there are no flags");
    Ok(flags.resolve_in(Some(path), |_| None)?.settings)
}

/// Checks that the service finds the paths: its current folder is the system's, and its account has
/// folders of its own.
fn check_paths(settings: &Settings, config: &Path) -> Result<(), Failure> {
    let wrong = |problem: String| {
        let message = format!("{}: {problem}", config.display());
        Err(Failure::new(sysexits::CONFIG, message))
    };
    let Some(data) = &settings.data else {
        let example = r"data = 'C:\ProgramData\arauto'";
        return wrong(format!(
            "it names no data folder; add {example}, or data = \"none\""
        ));
    };
    let is_none = data.as_os_str() == "none";
    let data = Some(data).filter(|_| !is_none);
    for (key, path) in [
        ("data", data),
        ("report", settings.report.as_ref()),
        ("audit", settings.audit.as_ref()),
        ("admin-token", settings.admin_token.as_ref()),
        ("tls-cert", settings.tls_cert.as_ref()),
        ("tls-key", settings.tls_key.as_ref()),
        ("tls-client-ca", settings.tls_client_ca.as_ref()),
    ] {
        let is_relative = |path: &&PathBuf| !path.is_absolute();
        if let Some(path) = path.filter(is_relative) {
            let path = path.display();
            return wrong(format!("{key} is {path}: a service needs an absolute path"));
        }
    }
    Ok(())
}

/// Warns of pipes that only the service itself and SYSTEM can open.
fn warn_of_closed_pipes(config: &Config) {
    for listen in &config.listen {
        let is_pipe = matches!(listen.endpoint, Endpoint::Pipe(_));
        if is_pipe && listen.access == Access::Owner {
            let endpoint = &listen.endpoint;
            complain(&format!(
                "only the service's own account can connect to {endpoint}: add ?access=everyone \
                 or ?access=group:NAME"
            ));
        }
    }
}

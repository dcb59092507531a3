//! The subjects that `arauto check` looks at.

use std::path::Path;
use std::time::{Duration, SystemTime};

use arauto::internal::accounts::DataFolder;
use arauto::{Config, Endpoint, ServerError};

use super::finding::Finding;
use crate::admin::AdminEndpoint;
use crate::cli::audit;
use crate::cli::descriptors::sessions_within;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::os;
use crate::cli::serve::final_output::report_failed;
use crate::cli::serve::start_failed;
use crate::cli::settings::Settings;
use crate::cli::whole_file;

/// A certificate that expires sooner is worth a warning.
const SOON: Duration = Duration::from_secs(30 * DAY);
const DAY: u64 = 24 * 60 * 60;

/// Checks what must go together.
pub(super) fn configuration(config: &Config) -> Finding {
    match config.check() {
        Ok(()) => Finding::ok("configuration", "its values go together"),
        Err(error) => Finding::error("configuration", &start_failed(error.into())),
    }
}

/// Checks that the folders of sockets exist.
pub(super) fn endpoints(config: &Config) -> Vec<Finding> {
    let finding = |endpoint: &Endpoint| match folder_of(endpoint) {
        Some(folder) if !folder.is_dir() => {
            let text = format!("{endpoint}: there is no folder {}", folder.display());
            Finding::error("endpoint", &Failure::new(sysexits::UNAVAILABLE, text))
        }
        _ => Finding::ok("endpoint", endpoint.to_string()),
    };
    config
        .listen
        .iter()
        .map(|listen| finding(&listen.endpoint))
        .collect()
}

/// Returns the folder of a socket's file.
fn folder_of(endpoint: &Endpoint) -> Option<&Path> {
    let (Endpoint::Unix(path) | Endpoint::SeqPacket(path)) = endpoint else {
        return None;
    };
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
}

/// Checks the admin endpoint, if there is one.
pub(super) fn admin(settings: &Settings) -> Option<Finding> {
    let text = settings.admin.as_deref()?;
    Some(match text.parse::<AdminEndpoint>() {
        Ok(endpoint) => Finding::ok("admin", endpoint.to_string()),
        Err(error) => {
            let failure = Failure::new(sysexits::USAGE, error.to_string());
            Finding::error("admin", &failure)
        }
    })
}

/// Checks the certificate, if an endpoint needs one: that it can be used, and for how long.
pub(super) fn certificate(config: &Config) -> Option<Finding> {
    const SUBJECT: &str = "certificate";
    let mut endpoints = config.listen.iter();
    endpoints.find(|listen| matches!(listen.endpoint, Endpoint::Tls { .. }))?;
    let tls = config.tls.as_ref()?; // without one the configuration is wrong
    let path = tls.certificate.display();
    Some(match tls.inspect() {
        Err(error) => Finding::error(SUBJECT, &start_failed(ServerError::from(error))),
        Ok(info) => match info.valid_until.duration_since(SystemTime::now()) {
            Err(_) => Finding::warning(SUBJECT, format!("{path} has expired: renew it")),
            Ok(left) if left < SOON => {
                let days = left.as_secs() / DAY;
                Finding::warning(SUBJECT, format!("{path} expires in {days} days: renew it"))
            }
            Ok(left) if info.valid_from > SystemTime::now() => {
                let days = left.as_secs() / DAY;
                let text =
                    format!("{path} is not valid yet, and will be until {days} days from now");
                Finding::warning(SUBJECT, text)
            }
            Ok(left) => {
                let days = left.as_secs() / DAY;
                Finding::ok(SUBJECT, format!("{path} is valid for {days} days"))
            }
        },
    })
}

/// Checks the data folder, without making it.
pub(super) fn data_folder(config: &Config) -> Finding {
    const SUBJECT: &str = "data folder";
    let Some(path) = &config.storage.data else {
        return Finding::warning(SUBJECT, "none: accounts last as long as the server runs");
    };
    let shown = path.display();
    match DataFolder::inspect(path) {
        Ok(true) => Finding::ok(SUBJECT, shown.to_string()),
        Ok(false) => Finding::ok(SUBJECT, format!("{shown} is made at the start")),
        Err(error) => Finding::error(SUBJECT, &start_failed(error.into())),
    }
}

/// Checks that the report of a stop can be written.
pub(super) fn report(settings: &Settings) -> Option<Finding> {
    let path = settings.report.as_deref()?;
    let shown = path.display();
    Some(match whole_file::check(path) {
        Ok(()) => Finding::ok("report", shown.to_string()),
        Err(error) => Finding::error("report", &report_failed(path, &error)),
    })
}

/// Checks that the audit log can be written, if there should be one.
pub(super) fn audit(settings: &Settings) -> Option<Finding> {
    let path = settings.audit.as_deref()?;
    Some(match audit::check(path) {
        Ok(()) => Finding::ok("audit log", path.display().to_string()),
        Err(failure) => Finding::error("audit log", &failure),
    })
}

/// Checks that there may be as many descriptors as sessions need.
pub(super) fn descriptors(config: &Config) -> Finding {
    const SUBJECT: &str = "descriptors";
    let limit = os::raise_descriptor_limit();
    let wanted = config.limits.max_sessions;
    let most = sessions_within(limit, wanted);
    match limit {
        Some(limit) if most < wanted => Finding::warning(
            SUBJECT,
            format!(
                "the limit of {limit} allows {most} sessions, fewer than max-sessions ({wanted}): \
                 raise it (ulimit -Hn, LimitNOFILE=)"
            ),
        ),
        Some(limit) => Finding::ok(
            SUBJECT,
            format!("the limit of {limit} allows {wanted} sessions"),
        ),
        None => Finding::ok(SUBJECT, format!("no limit; {wanted} sessions")),
    }
}

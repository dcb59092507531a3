//! A server at one moment.

use std::time::Duration;

use arauto::{ProbeOutcome, Statistics, StopStatus};
use tokio::time::timeout;

use super::audit::AuditFigures;
use super::observed::Observed;

/// How long the server may take to tell its figures. Those that are missing by then are left out, so
/// that the others arrive within the time that a client waits.
const LIMIT: Duration = Duration::from_secs(2);

/// The figures of a server at one moment.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    /// `None`: it starts, or its supervisor does not answer.
    pub(super) statistics: Option<Statistics>,
    /// `None` while it starts.
    pub(super) probe: Option<ProbeOutcome>,
    /// `None` before the stop.
    pub(super) stop: Option<StopStatus>,
    /// How the audit log is; all zero without one.
    pub(super) audit: AuditFigures,
    /// Whether it has stopped.
    pub(super) has_stopped: bool,
}

impl Snapshot {
    /// Asks the server for everything at once.
    pub(super) async fn take(observed: &Observed) -> Snapshot {
        let Some(server) = observed.server() else {
            return Snapshot {
                audit: observed.audit().figures(),
                ..Snapshot::default()
            };
        };
        let (statistics, probe, stop) = tokio::join!(
            timeout(LIMIT, server.statistics()),
            server.probe(LIMIT),
            timeout(LIMIT, server.stop_status()),
        );
        Snapshot {
            statistics: statistics.ok(),
            probe: Some(probe),
            stop: stop.ok().flatten(),
            audit: observed.audit().figures(),
            has_stopped: server.has_stopped(),
        }
    }
}

//! The views of the page: a server at one moment, as JSON.
//!
//! Counts are since the server's start. The page makes rates of two views, by the time between them.

use std::borrow::Cow;
use std::time::Duration;

use arauto::internal::admin::LaggingSession;
use arauto::{Counts, Limits, Statistics};
use serde::Serialize;
use tokio::time::timeout;

use crate::admin::observed::Observed;
use crate::admin::snapshot::Snapshot;
use crate::admin::status::Status;

/// The most sessions of a view: those that lag furthest. The page can show no more at once, and each
/// view is sent every second.
const SESSIONS: usize = 200;

/// How long the supervisor may take to list the sessions.
const LIMIT: Duration = Duration::from_secs(2);

/// A view: all that the page shows at one moment.
#[derive(Serialize)]
pub(super) struct View {
    /// A clock that only goes forward, in milliseconds.
    at_ms: u64,
    status: Status,
    /// `None` while the server starts, and where its supervisor does not answer.
    counts: Option<CountsView>,
    limits: Vec<LimitUse>,
    sessions: SessionTable,
    /// Whether the server writes a report, so that there may be one of the last stop.
    has_report: bool,
}

/// Counts that the status does not have.
#[derive(Serialize)]
struct CountsView {
    commits: u64,
    commit_us: u64,
    failed_commits: u64,
    /// The errors that clients were told, by code, without those that never occurred.
    errors: Vec<(&'static str, u64)>,
}

/// A limit, and how near the server is to it.
#[derive(Serialize)]
struct LimitUse {
    name: &'static str,
    used: u64,
    most: u64,
    unit: &'static str,
}

#[derive(Serialize, Default)]
struct SessionTable {
    /// All sessions, listed or not.
    total: usize,
    rows: Vec<SessionRow>,
}

#[derive(Serialize)]
struct SessionRow {
    session: u64,
    user: Option<String>,
    endpoint: String,
    peer: String,
    since_ms: u64,
    /// The last broadcast that was written to it.
    sent: u64,
    /// `None`: it gets no broadcasts, or only those that it chose.
    lag: Option<u64>,
}

impl View {
    /// Asks the server for everything. `at` is the time of the clock that only goes forward.
    pub(super) async fn take(observed: &Observed, at: Duration) -> View {
        let (snapshot, sessions, limits) = tokio::join!(
            Snapshot::take(observed),
            sessions(observed),
            limits(observed),
        );
        let statistics = snapshot.statistics.as_ref();
        let report = observed
            .settings()
            .and_then(|settings| settings.last_report());
        View {
            at_ms: millis(at),
            counts: statistics.map(|statistics| CountsView::from(&statistics.counts)),
            limits: statistics
                .zip(limits)
                .map_or_else(Vec::new, |(statistics, limits)| uses(statistics, &limits)),
            sessions,
            has_report: report.is_some(),
            status: Status::of(observed, snapshot),
        }
    }
}

/// Returns the limits of this moment, which a reload may change; `None` while the server starts, and
/// where a reload hangs.
async fn limits(observed: &Observed) -> Option<Limits> {
    let server = observed.server()?;
    timeout(LIMIT, server.limits()).await.ok()
}

async fn sessions(observed: &Observed) -> SessionTable {
    let Some(server) = observed.server() else {
        return SessionTable::default();
    };
    let listed = timeout(LIMIT, server.lagging_sessions(SESSIONS)).await;
    let (total, rows) = listed.unwrap_or_default();
    SessionTable {
        total,
        rows: rows.into_iter().map(SessionRow::from).collect(),
    }
}

fn uses(statistics: &Statistics, limits: &Limits) -> Vec<LimitUse> {
    let sessions = || statistics.sessions.values();
    let unauthenticated: usize = sessions().map(|counts| counts.unauthenticated).sum();
    let logged_in: usize = sessions().map(|counts| counts.logged_in).sum();
    let of = |name, used, most, unit| LimitUse {
        name,
        used,
        most,
        unit,
    };
    vec![
        of(
            "max-sessions",
            number(logged_in + unauthenticated),
            number(limits.max_sessions),
            "sessions",
        ),
        of(
            "max-unauthenticated",
            number(unauthenticated),
            number(limits.max_unauthenticated),
            "sessions",
        ),
        of(
            "log-bytes",
            statistics.held_bytes,
            number(limits.log_bytes),
            "bytes",
        ),
    ]
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl From<&Counts> for CountsView {
    fn from(counts: &Counts) -> CountsView {
        let errors = counts.errors.iter().filter(|(_, count)| *count > 0);
        CountsView {
            commits: counts.commits.count(),
            commit_us: u64::try_from(counts.commits.sum.as_micros()).unwrap_or(u64::MAX),
            failed_commits: counts.failed_commits,
            errors: errors
                .map(|(code, count)| (code.as_str(), *count))
                .collect(),
        }
    }
}

impl From<LaggingSession> for SessionRow {
    fn from(session: LaggingSession) -> SessionRow {
        let line = session.line;
        SessionRow {
            session: line.session.0,
            user: line.user.map(Cow::into_owned),
            endpoint: line.endpoint.into_owned(),
            peer: line.peer.into_owned(),
            since_ms: line.since.0,
            sent: line.sent.0,
            lag: session.lag,
        }
    }
}

//! `/status`: what the server does now, as JSON. `arauto status` prints it.

use std::time::{Duration, Instant};

use arauto::{ServerHandle, ServiceFigures, SessionCounts, Statistics, StopStatus};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::json::answer;
use super::observed::Observed;
use super::part::{Part, parts};
use super::settings::SettingChange;
use super::snapshot::Snapshot;

/// The state and the figures of a server, as JSON.
#[derive(Serialize)]
pub(super) struct Status {
    version: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<Stop>,
    /// The time within which a drain stops the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_within_ms: Option<u64>,
    /// Absent while the server starts, and where its supervisor does not answer.
    #[serde(flatten)]
    figures: Option<Figures>,
    parts: Vec<Part>,
    /// The settings that keep their values until a restart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    restart: Vec<SettingChange>,
}

#[derive(Serialize)]
struct Stop {
    reason: &'static str,
    phase: String,
    remaining_ms: u64,
}

#[derive(Serialize)]
struct Figures {
    stream: String,
    head: u64,
    tail: u64,
    held_bytes: u64,
    written_bytes: u64,
    requests_in_work: usize,
    sessions: Vec<Sessions>,
    readers: usize,
    lag_max: u64,
    sessions_started: u64,
    logins: u64,
    gaps: u64,
    services: Vec<Service>,
}

#[derive(Serialize)]
struct Sessions {
    endpoint: String,
    logged_in: usize,
    unauthenticated: usize,
}

#[derive(Serialize)]
struct Service {
    service: String,
    offers: usize,
    in_work: u64,
    waiting: usize,
    answered: u64,
    failed: u64,
}

/// Answers with the figures of this moment.
pub(super) async fn status(State(observed): State<Observed>) -> Response {
    let snapshot = Snapshot::take(&observed).await;
    answer(StatusCode::OK, &Status::of(&observed, snapshot))
}

impl Status {
    /// Returns the status that a snapshot shows.
    pub(super) fn of(observed: &Observed, snapshot: Snapshot) -> Status {
        let server = observed.server();
        let state = match &snapshot {
            _ if server.is_none() => "starting",
            snapshot if snapshot.has_stopped => "stopped",
            snapshot if snapshot.stop.is_some() => "stopping",
            _ if server.is_some_and(ServerHandle::is_draining) => "draining",
            _ => "serving",
        };
        Status {
            version: env!("CARGO_PKG_VERSION"),
            state,
            stop: snapshot.stop.map(Stop::from),
            stop_within_ms: observed.plan().left(Instant::now()).map(millis),
            figures: snapshot.statistics.map(Figures::from),
            parts: parts(snapshot.probe.as_ref()),
            restart: observed
                .settings()
                .map_or_else(Vec::new, |settings| settings.waiting()),
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl From<StopStatus> for Stop {
    fn from(stop: StopStatus) -> Stop {
        Stop {
            reason: stop.reason.as_str(),
            phase: stop.phase.to_string(),
            remaining_ms: millis(stop.remaining),
        }
    }
}

impl From<Statistics> for Figures {
    fn from(statistics: Statistics) -> Figures {
        let sessions = statistics.sessions.into_iter();
        Figures {
            stream: statistics.stream,
            head: statistics.head.0,
            tail: statistics.tail.0,
            held_bytes: statistics.held_bytes,
            written_bytes: statistics.written_bytes,
            requests_in_work: statistics.requests_in_work,
            sessions: sessions.map(Sessions::from).collect(),
            readers: statistics.lags.len(),
            lag_max: statistics.lags.last().copied().unwrap_or_default(),
            sessions_started: statistics.counts.sessions,
            logins: statistics.counts.logins,
            gaps: statistics.counts.gaps,
            services: statistics.services.into_iter().map(Service::from).collect(),
        }
    }
}

impl From<(String, SessionCounts)> for Sessions {
    fn from((endpoint, counts): (String, SessionCounts)) -> Sessions {
        Sessions {
            endpoint,
            logged_in: counts.logged_in,
            unauthenticated: counts.unauthenticated,
        }
    }
}

impl From<ServiceFigures> for Service {
    fn from(figures: ServiceFigures) -> Service {
        Service {
            service: figures.name,
            offers: figures.offers,
            in_work: figures.in_work,
            waiting: figures.waiting,
            answered: figures.answered,
            failed: figures.failed,
        }
    }
}

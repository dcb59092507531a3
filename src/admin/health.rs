//! `/livez` and `/readyz`: whether the process works, and whether it takes clients.
//!
//! Both answer 200 or 503 with a JSON object. A process that is not live will not recover by
//! itself, so that restarting it helps. One that is not ready may be so in a moment: it starts, or
//! it stops.

use std::time::Duration;

use arauto::ProbeOutcome;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::json::answer;
use super::observed::Observed;
use super::part::{Part, parts};

/// How long each part of the server may take to answer.
const LIMIT: Duration = Duration::from_secs(2);

/// The answer of `/livez`.
#[derive(Serialize)]
struct Live {
    live: bool,
    parts: Vec<Part>,
}

/// The answer of `/readyz`.
#[derive(Serialize)]
struct Ready {
    ready: bool,
    reasons: Vec<Reason>,
    /// Problems with which the server takes clients all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

/// A problem with which the server goes on.
#[derive(Serialize)]
#[serde(tag = "warning", rename_all = "kebab-case")]
enum Warning {
    /// The audit log cannot be written.
    Audit { problem: String, lost_records: u64 },
}

/// Why the server takes no clients.
#[derive(Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Reason {
    /// It opens its data folder and its endpoints.
    Starting,
    /// It takes no new sessions, as it will be stopped.
    Draining,
    /// A stop is under way.
    Stopping { phase: String, remaining_ms: u64 },
    /// It has stopped.
    Stopped,
    /// A part does not answer.
    Silent { part: String },
}

/// Answers whether every part of the server answers. A server that starts or stops is live: both
/// have deadlines of their own, or are interrupted by a signal.
pub(super) async fn livez(State(observed): State<Observed>) -> Response {
    let outcome = match observed.server() {
        Some(server) => Some(server.probe(LIMIT).await),
        None => None,
    };
    let live = outcome.as_ref().is_none_or(ProbeOutcome::is_responsive);
    let parts = parts(outcome.as_ref());
    answer(status(live), &Live { live, parts })
}

/// Answers whether the server takes clients, and if not, why. Warnings do not change that.
pub(super) async fn readyz(State(observed): State<Observed>) -> Response {
    let reasons = not_ready(&observed).await;
    let ready = reasons.is_empty();
    let audit = observed.audit().figures();
    let lost_records = audit.lost;
    let warning = audit.problem.map(|problem| Warning::Audit {
        problem,
        lost_records,
    });
    let ready = Ready {
        ready,
        reasons,
        warnings: warning.into_iter().collect(),
    };
    answer(status(ready.ready), &ready)
}

async fn not_ready(observed: &Observed) -> Vec<Reason> {
    let Some(server) = observed.server() else {
        return vec![Reason::Starting];
    };
    if server.has_stopped() {
        return vec![Reason::Stopped];
    }
    let outcome = server.probe(LIMIT).await;
    let silent = outcome.silent().map(|part| Reason::Silent {
        part: part.to_string(),
    });
    let mut reasons: Vec<Reason> = silent.collect();
    reasons.extend(server.is_draining().then_some(Reason::Draining));
    // A supervisor that is silent does not tell either.
    let status = tokio::time::timeout(LIMIT, server.stop_status()).await;
    reasons.extend(status.ok().flatten().map(|status| Reason::Stopping {
        phase: status.phase.to_string(),
        remaining_ms: u64::try_from(status.remaining.as_millis()).unwrap_or(u64::MAX),
    }));
    reasons
}

fn status(is_well: bool) -> StatusCode {
    match is_well {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    }
}

//! `POST /drain` and `POST /drain/cancel`: the server takes no new sessions, and may stop once those
//! that there are have gone. `arauto drain` sends them.

pub(super) mod plan;

use std::time::{Duration, Instant};

use arauto::{ServerHandle, StopReason};
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use self::plan::{Due, Plan};
use super::json::answer;
use super::listener::Operator;
use super::observed::Observed;
use super::refusal::Refusal;

/// How often the sessions are counted. It asks the supervisor for a number.
const POLL: Duration = Duration::from_millis(100);

/// How long the supervisor may take to count them.
const LIMIT: Duration = Duration::from_secs(2);

/// A drain as an operator asks for it.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DrainRequest {
    /// Stop when the last session has gone, and after so many milliseconds at the latest. `None`: do
    /// not stop.
    pub(crate) stop_within_ms: Option<u64>,
}

/// The state of the server behind such a request.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Drained {
    /// The sessions that there are.
    pub(crate) sessions: usize,
}

/// Begins a drain, or changes when it stops the server. The answer is 200 with the number of sessions,
/// 422 with the error in the request, or 409 where the server starts or stops. The body may be empty.
pub(super) async fn begin(
    State(observed): State<Observed>,
    Extension(operator): Extension<Operator>,
    body: String,
) -> Response {
    let request = match body.trim() {
        "" => Ok(DrainRequest::default()),
        body => serde_json::from_str::<DrainRequest>(body),
    };
    let request = match request {
        Ok(request) => request,
        Err(error) => return Refusal::of_input(format!("no request to drain: {error}")).answer(),
    };
    let Some(server) = observed.server() else {
        return Refusal::for_now("the server starts").answer();
    };
    let is_done = server.drain().await;
    observed.note("drain", &operator, is_done);
    if !is_done {
        return Refusal::for_now("the server is stopping").answer();
    }
    let limit = request.stop_within_ms.map(Duration::from_millis);
    let due = observed.plan().begin(limit, Instant::now());
    tracing::info!(stop_within = ?limit, "draining; no new sessions");
    if let Some(due) = due {
        tokio::spawn(stop_when_empty(
            server.clone(),
            observed.plan().clone(),
            due,
        ));
    }
    told(server).await
}

/// Ends a drain. The answer is as that of [`begin`].
pub(super) async fn cancel(
    State(observed): State<Observed>,
    Extension(operator): Extension<Operator>,
) -> Response {
    let Some(server) = observed.server() else {
        return Refusal::for_now("the server starts").answer();
    };
    observed.plan().cancel();
    let is_done = server.end_drain().await;
    observed.note("cancel-drain", &operator, is_done);
    if !is_done {
        return Refusal::for_now("the server is stopping").answer();
    }
    tracing::info!("drain cancelled; new sessions are taken again");
    told(server).await
}

async fn told(server: &ServerHandle) -> Response {
    match timeout(LIMIT, server.count_sessions()).await {
        Ok(sessions) => answer(StatusCode::OK, &Drained { sessions }),
        Err(_) => Refusal::for_now("the supervisor does not answer").answer(),
    }
}

/// Stops the server when it has no session, or when the time is up, unless the drain is cancelled or
/// another one takes its place.
async fn stop_when_empty(server: ServerHandle, plan: Plan, due: Due) {
    while plan.is_current(due) {
        // A supervisor that is silent counts nothing: the time goes on.
        let sessions = timeout(LIMIT, server.count_sessions()).await.ok();
        if due.is_over(sessions, Instant::now()) {
            tracing::info!(sessions, "drain over");
            server.stop_for(StopReason::Admin).await;
            return;
        }
        sleep(POLL).await;
    }
}

//! The acts of an operator: to end a session, and to stop the server.

use arauto::{SessionId, StopReason};
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::audit::OperatorAct;
use super::listener::Operator;
use super::observed::Observed;
use super::refusal::Refusal;

/// Ends a session. The body is the reason that its client is told; it may be empty.
pub(super) async fn end_session(
    State(observed): State<Observed>,
    Extension(operator): Extension<Operator>,
    Path(session): Path<u64>,
    why: String,
) -> Response {
    let Some(server) = observed.server() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the server starts\n").into_response();
    };
    let session = SessionId(session);
    let why = Some(why.trim()).filter(|why| !why.is_empty());
    let is_done = server.end_session(session, why).await;
    observed.audit().act(&OperatorAct {
        name: "end-session",
        session: Some(session),
        reason: why,
        peer: &operator.0,
        is_done,
    });
    if !is_done {
        return (StatusCode::NOT_FOUND, "there is no such session\n").into_response();
    }
    tracing::info!(%session, why, "session ended by an operator");
    StatusCode::NO_CONTENT.into_response()
}

/// Begins the stop of the server, and answers 202 without waiting for its end; 409 where the server
/// starts or has stopped. A second request changes nothing.
pub(super) async fn stop(
    State(observed): State<Observed>,
    Extension(operator): Extension<Operator>,
) -> Response {
    let Some(server) = observed.server() else {
        return Refusal::for_now("the server starts").answer();
    };
    let is_done = server.stop_for(StopReason::Admin).await.is_some();
    observed.note("stop", &operator, is_done);
    if !is_done {
        return Refusal::for_now("the server has stopped").answer();
    }
    tracing::info!("stop requested by an operator");
    StatusCode::ACCEPTED.into_response()
}

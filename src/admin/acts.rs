//! The acts of an operator: to end a session.

use arauto::SessionId;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::audit::OperatorAct;
use super::listener::Operator;
use super::observed::Observed;

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

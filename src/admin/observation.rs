//! `/observation`: how far each session is, as JSON. `arauto explain SEQ` asks for it.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use tokio::time::timeout;

use super::json::answer;
use super::observed::Observed;
use super::refusal::Refusal;

/// How long the server may take. Each session has a second.
const LIMIT: Duration = Duration::from_secs(4);

/// Answers with the sessions' records. 409 where the server starts or has stopped, or its supervisor
/// does not answer.
pub(super) async fn observation(State(observed): State<Observed>) -> Response {
    let Some(server) = observed.server() else {
        return Refusal::for_now("the server starts").answer();
    };
    match timeout(LIMIT, server.observe()).await {
        Ok(Some(observation)) => answer(StatusCode::OK, &observation),
        Ok(None) => Refusal::for_now("the server has stopped").answer(),
        Err(_) => Refusal::for_now("the supervisor does not answer").answer(),
    }
}

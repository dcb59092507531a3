//! `POST /reload`: the settings are read again. `arauto reload` sends it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::json::answer;
use super::observed::Observed;
use super::refusal::Refusal;

/// Reads the settings again. The answer is 200 with what has changed, 422 with the error in the
/// settings, or 409 where the server starts or stops.
pub(super) async fn reload(State(observed): State<Observed>) -> Response {
    let Some(settings) = observed.settings() else {
        return Refusal::for_now("the server starts").answer();
    };
    match settings.reload().await {
        Ok(reloaded) => answer(StatusCode::OK, &reloaded),
        Err(refused) => refused.answer(),
    }
}

//! `POST /reload`: the settings are read again. `arauto reload` sends it.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::json::answer;
use super::listener::Operator;
use super::observed::Observed;
use super::refusal::Refusal;

/// Reads the settings again. The answer is 200 with what has changed, 422 with the error in the
/// settings, or 409 where the server starts or stops.
pub(super) async fn reload(
    State(observed): State<Observed>,
    Extension(operator): Extension<Operator>,
) -> Response {
    let Some(settings) = observed.settings() else {
        return Refusal::for_now("the server starts").answer();
    };
    let outcome = settings.reload().await;
    observed.note("reload", &operator, outcome.is_ok());
    match outcome {
        Ok(reloaded) => answer(StatusCode::OK, &reloaded),
        Err(refused) => refused.answer(),
    }
}

//! `POST /reload`: the settings are read again. `arauto reload` sends it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::json::answer;
use super::observed::Observed;
use super::settings::NotReloaded;

/// The exit code of what may succeed later, see sysexits(3).
const TRY_LATER: u8 = 75;

/// Reads the settings again. The answer is 200 with what has changed, 422 with the error in the
/// settings, or 409 where the server starts or stops.
pub(super) async fn reload(State(observed): State<Observed>) -> Response {
    let Some(settings) = observed.settings() else {
        let error = "the server starts".to_owned();
        let exit = TRY_LATER;
        return answer(StatusCode::CONFLICT, &NotReloaded { error, exit });
    };
    match settings.reload().await {
        Ok(reloaded) => answer(StatusCode::OK, &reloaded),
        Err(refused) => {
            let status = match refused.exit {
                TRY_LATER => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            answer(status, &refused)
        }
    }
}

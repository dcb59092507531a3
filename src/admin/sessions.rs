//! `/sessions`: the server's sessions, as JSON.

use std::time::Duration;

use arauto::wire::SessionLine;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tokio::time::timeout;

use super::json::answer;
use super::observed::Observed;

/// How long the supervisor may take to answer.
const LIMIT: Duration = Duration::from_secs(2);

/// The most sessions of an answer: the oldest ones.
const MOST: usize = 1000;

#[derive(Serialize, Default)]
struct Sessions {
    /// All sessions, listed or not.
    total: usize,
    sessions: Vec<SessionLine<'static>>,
}

#[derive(Serialize)]
struct NoAnswer {
    error: &'static str,
}

/// Answers with the sessions in the order of their numbers; none while the server starts.
pub(super) async fn sessions(State(observed): State<Observed>) -> Response {
    let Some(server) = observed.server() else {
        return answer(StatusCode::OK, &Sessions::default());
    };
    let Ok(mut sessions) = timeout(LIMIT, server.sessions()).await else {
        let error = "the supervisor does not answer";
        return answer(StatusCode::SERVICE_UNAVAILABLE, &NoAnswer { error });
    };
    let total = sessions.len();
    sessions.truncate(MOST);
    answer(StatusCode::OK, &Sessions { total, sessions })
}

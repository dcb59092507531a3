//! `/topics`: the first topics by name, as JSON.
//!
//! They are no part of the events: broadcasts wait while the server looks at its topics, so it does so
//! only when an operator asks.

use arauto::wire::TopicLine;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::admin::json::answer;
use crate::admin::observed::Observed;

/// The most bytes of topics: about 1,000 of them.
const BYTES: usize = 64 * 1024;

#[derive(Serialize, Default)]
struct Topics {
    topics: Vec<TopicLine<'static>>,
    /// Whether there are topics behind the last one.
    more: bool,
}

/// Answers with the topics in the order of their names; none while the server starts.
pub(super) async fn topics(State(observed): State<Observed>) -> Response {
    let topics = match observed.server() {
        Some(server) => {
            let (topics, more) = server.topics(BYTES);
            Topics { topics, more }
        }
        None => Topics::default(),
    };
    answer(StatusCode::OK, &topics)
}

//! `/report`: the report of the last stop as a page, with its timeline.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use tokio::sync::Semaphore;

use crate::admin::observed::Observed;

/// The page has its styles in its text, as it is also a file of its own. It has no scripts and loads
/// nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// The report of a server's last stop. Clones share it.
#[derive(Clone)]
pub(super) struct LastReports {
    observed: Observed,
    /// One report is read at a time: it may be large.
    place: Arc<Semaphore>,
}

impl LastReports {
    /// Returns the report of the server's last stop. Nothing is read yet.
    pub(super) fn new(observed: Observed) -> LastReports {
        LastReports {
            observed,
            place: Arc::new(Semaphore::new(1)),
        }
    }
}

/// Answers with the report of the last stop, or 404 where there is none.
pub(super) async fn report(State(reports): State<LastReports>) -> Response {
    let settings = reports.observed.settings();
    let Some(read) = settings.and_then(|settings| settings.last_report()) else {
        let text = "the server writes no report; set --report FILE\n";
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    let Ok(place) = reports.place.try_acquire_owned() else {
        let text = "another page reads the report; try again\n";
        return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    };
    let read = tokio::task::spawn_blocking(move || {
        let _place = place; // until it is read, also where the browser has gone
        read()
    });
    match read.await {
        Ok(Ok(Some(page))) => {
            let headers = [
                (
                    header::CONTENT_SECURITY_POLICY,
                    HeaderValue::from_static(POLICY),
                ),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (headers, Html(page)).into_response()
        }
        Ok(Ok(None)) => {
            (StatusCode::NOT_FOUND, "there is no report of a stop yet\n").into_response()
        }
        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, error + "\n").into_response(),
        Err(error) => {
            tracing::error!(%error, "report not shown");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

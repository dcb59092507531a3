//! `/metrics`: the server's figures for Prometheus and whatever else reads OpenMetrics.
//!
//! Everything is gathered when somebody asks. Names and units follow Prometheus' conventions;
//! docs/operations.md lists them.

mod families;
mod writer;

use std::time::Duration;

use arauto::{ProbeOutcome, Statistics, StopStatus};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;
use tokio::time::timeout;

use self::families::Families;
use super::observed::Observed;

/// How long the server may take to tell its figures. What it has not told by then is left out, so that
/// the others arrive within the time that Prometheus waits.
const LIMIT: Duration = Duration::from_secs(2);

/// OpenMetrics 1.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is known of a server at one moment.
#[derive(Debug)]
struct Snapshot {
    /// `None`: it starts, or its supervisor does not answer.
    statistics: Option<Statistics>,
    /// `None` while it starts.
    probe: Option<ProbeOutcome>,
    /// `None` before the stop.
    stop: Option<StopStatus>,
}

impl Snapshot {
    async fn take(observed: &Observed) -> Snapshot {
        let Some(server) = observed.server() else {
            return Snapshot {
                statistics: None,
                probe: None,
                stop: None,
            };
        };
        let (statistics, probe, stop) = tokio::join!(
            timeout(LIMIT, server.statistics()),
            server.probe(LIMIT),
            timeout(LIMIT, server.stop_status()),
        );
        Snapshot {
            statistics: statistics.ok(),
            probe: Some(probe),
            stop: stop.ok().flatten(),
        }
    }
}

/// Answers with all metrics: in the format OpenMetrics where the client accepts that, else in
/// Prometheus' own.
pub(super) async fn metrics(State(observed): State<Observed>, headers: HeaderMap) -> Response {
    let mut registry = Registry::default();
    let snapshot = Snapshot::take(&observed).await;
    registry.register_collector(Box::new(Families(snapshot)));
    let accept = headers.get(header::ACCEPT);
    let accept = accept.and_then(|accept| accept.to_str().ok());
    let accepts_open = accept.is_some_and(|accept| accept.contains("application/openmetrics-text"));
    let mut page = String::new();
    let (content_type, encoded) = match accepts_open {
        true => (OPEN_METRICS, text::encode(&mut page, &registry)),
        false => (
            prometheus_text::CONTENT_TYPE,
            prometheus_text::encode(&mut page, &registry),
        ),
    };
    match encoded {
        Ok(()) => ([(header::CONTENT_TYPE, content_type)], page).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics not encoded");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

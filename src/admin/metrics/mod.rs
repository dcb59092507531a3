//! `/metrics`: the server's figures for Prometheus and other readers of OpenMetrics.
//!
//! Everything is gathered when somebody asks. Names and units follow Prometheus' conventions;
//! docs/operations.md lists them.

mod families;
mod writer;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;

use self::families::Families;
use super::observed::Observed;
use super::snapshot::Snapshot;

/// OpenMetrics 1.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

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

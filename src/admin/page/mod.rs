//! `/`: a page that shows an operator the server, and lets the operator act.
//!
//! The browser gets files that are in the program, without a step that builds them, and then a stream of
//! views. Nothing comes from elsewhere.
//!
//! - [`files`]: the files;
//! - [`headers`]: the headers that bound what the browser does;
//! - [`events`]: the stream, and [`model`]: its views;
//! - [`topics`] and [`report`]: what the page shows when it is asked to;
//! - [`login`]: the token, and the cookie that takes its place.

mod events;
pub(super) mod files;
mod headers;
mod login;
mod model;
mod report;
mod topics;

use axum::Router;
use axum::routing::{get, post};

use self::events::Events;
use self::files::FILES;
pub(super) use self::headers::add_headers;
use self::report::LastReports;
use super::access::Access;
use super::observed::Observed;

/// Returns the routes of the page, but for the acts.
pub(super) fn routes(observed: &Observed, access: &Access) -> Router {
    let files = FILES.iter().fold(Router::new(), |routes, file| {
        routes.route(file.path, get(move || async move { file.answer() }))
    });
    let logins = Router::new()
        .route("/may-read", get(login::may_read))
        .route("/login", post(login::log_in))
        .route("/logout", post(login::log_out))
        .with_state((access.clone(), observed.clone()));
    let events = Router::new()
        .route("/events", get(events::events))
        .with_state(Events::new(observed.clone()));
    let report = Router::new()
        .route("/report", get(report::report))
        .with_state(LastReports::new(observed.clone()));
    let topics = Router::new()
        .route("/topics", get(topics::topics))
        .with_state(observed.clone());
    files
        .merge(logins)
        .merge(events)
        .merge(report)
        .merge(topics)
}

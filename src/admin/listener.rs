//! Accepts the admin endpoint's connections, and bounds what each can do.
//!
//! A connection serves one request. So a client that is slow or silent occupies a place for
//! [`REQUEST_LIMIT`] at most, and a client that comes while all places are
//! taken is disconnected.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use arauto::Peer;
use arauto::internal::admin::AdminListener;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// The most connections at once.
const CONNECTIONS: usize = 64;

/// The longest time from a connect to the end of its answer.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// The most bytes of a request's head, and of its body.
const HEAD: usize = 16 * 1024;
const BODY: usize = 16 * 1024;

/// The client of a request: its process and user, or its address.
#[derive(Debug, Clone)]
pub(super) struct Operator(pub(super) Arc<str>);

/// Accepts connections until the token is cancelled, and then drops those that are open.
pub(super) async fn serve(mut listener: AdminListener, routes: Router, until: CancellationToken) {
    let routes = routes.layer(DefaultBodyLimit::max(BODY));
    let places = Rc::new(Semaphore::new(CONNECTIONS));
    loop {
        let (connection, peer) = tokio::select! {
            biased;
            () = until.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let places = Rc::clone(&places);
        let routes = routes.clone();
        tokio::task::spawn_local(async move {
            let Ok(_place) = places.try_acquire() else {
                tracing::debug!(%peer, "admin connection refused: there are too many");
                return;
            };
            serve_one(connection, &peer, routes).await;
        });
    }
}

/// Serves one request of a connection.
async fn serve_one(
    connection: impl AsyncRead + AsyncWrite + Unpin + 'static,
    peer: &Peer,
    routes: Router,
) {
    let operator = Operator(peer.to_string().into());
    let routes = routes.layer(Extension(operator));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(connection), TowerToHyperService::new(routes));
    match tokio::time::timeout(REQUEST_LIMIT, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%peer, %error, "admin request failed"),
        Err(_) => tracing::debug!(%peer, limit = ?REQUEST_LIMIT, "admin request timed out"),
    }
}

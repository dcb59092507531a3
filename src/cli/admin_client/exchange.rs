//! One request over a connection of its own, and its answer.

use std::io;

use arauto::Endpoint;
use arauto::internal::admin::connect_admin;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;

/// The longest answer, in bytes.
const LONGEST: usize = 16 << 20;

/// Why there is no answer.
pub(super) enum AskError {
    /// The endpoint cannot be connected to.
    Connect(io::Error),
    /// The other end does not speak HTTP, or the connection has failed.
    Http(String),
}

/// Sends a request, and returns the answer's status and text. It has no deadline.
///
/// # Errors
/// See [`AskError`].
pub(super) async fn exchange(
    endpoint: &Endpoint,
    request: Request<Body>,
) -> Result<(StatusCode, String), AskError> {
    let stream = connect_admin(endpoint).await.map_err(AskError::Connect)?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(failed)?;
        let status = response.status();
        let body = to_bytes(Body::new(response.into_body()), LONGEST).await;
        let body = body.map_err(|error| AskError::Http(error.to_string()))?;
        let text = String::from_utf8(body.into());
        let text = text.map_err(|_| AskError::Http("the answer is not UTF-8".to_owned()))?;
        Ok((status, text))
    };
    let (mut answer, mut connection) = (std::pin::pin!(answer), std::pin::pin!(connection));
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        ended = &mut connection => {
            // The answer may have come with the connection's end.
            ended.map_err(failed)?;
            answer.await
        }
    }
}

fn failed(error: hyper::Error) -> AskError {
    AskError::Http(error.to_string())
}

//! Requests to the admin endpoint of a server.

use std::path::PathBuf;
use std::time::Duration;

use arauto::Endpoint;
use arauto::internal::admin::connect_admin;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::bounded;
use super::exit::{Failure, sysexits};
use crate::admin::AdminEndpoint;

/// How long an answer may take. The server waits 2 s for each of its parts.
const LIMIT: Duration = Duration::from_secs(10);

/// The longest answer, in bytes.
const LONGEST: usize = 16 << 20;

/// The longest token, in bytes.
const LONGEST_TOKEN: usize = 4096;

#[derive(clap::Args)]
pub(super) struct AdminArgs {
    /// The server's admin endpoint: unix:PATH, unix:@NAME, pipe:NAME or tcp:HOST:PORT.
    #[arg(long, value_name = "ENDPOINT", env = "ARAUTO_ADMIN")]
    admin: String,

    /// The token that a loopback endpoint asks for: the first line of this file.
    #[arg(long, value_name = "FILE", env = "ARAUTO_ADMIN_TOKEN")]
    admin_token: Option<PathBuf>,
}

impl AdminArgs {
    /// Asks for a path, and returns the answer's text.
    ///
    /// # Errors
    /// Nothing listens there, it does not answer in time, or it refuses.
    pub(super) async fn get(&self, path: &str) -> Result<String, Failure> {
        let endpoint = self.admin.parse::<AdminEndpoint>();
        let endpoint = endpoint.map_err(|error| Failure::new(sysexits::USAGE, error.to_string()))?;
        let mut request = Request::get(path).header(header::HOST, "localhost");
        if let Some(token) = self.token()? {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).map_err(|_| {
            let message = "the admin token has characters that a token cannot have";
            Failure::new(sysexits::DATAERR, message)
        })?;
        let asked = timeout(LIMIT, exchange(endpoint.endpoint(), request)).await;
        let answer = asked.map_err(|_| {
            let message = format!("{endpoint} did not answer within {LIMIT:?}");
            Failure::new(sysexits::TEMPFAIL, message)
        })?;
        answer.map_err(|error| match error {
            AskError::Connect(error) => {
                let message = format!(
                    "cannot connect to {endpoint}: {error}; start the server with --admin {endpoint}"
                );
                Failure::new(sysexits::UNAVAILABLE, message)
            }
            AskError::Http(error) => {
                let message = format!("{endpoint} does not speak HTTP: {error}");
                Failure::new(sysexits::PROTOCOL, message)
            }
            AskError::Refused(StatusCode::UNAUTHORIZED) => {
                let message = format!("{endpoint} asks for a token: give it with --admin-token");
                Failure::new(sysexits::NOPERM, message)
            }
            AskError::Refused(status) => {
                let message = format!("{endpoint} answered {status} to {path}");
                Failure::new(sysexits::PROTOCOL, message)
            }
        })
    }

    fn token(&self) -> Result<Option<String>, Failure> {
        let Some(path) = &self.admin_token else {
            return Ok(None);
        };
        let line = bounded::read_first_line(path, LONGEST_TOKEN);
        line.map(Some).map_err(|error| {
            let message = format!("cannot read the admin token in {}: {error}", path.display());
            Failure::new(error.code(), message)
        })
    }
}

/// Why there is no answer.
enum AskError {
    Connect(std::io::Error),
    Http(String),
    Refused(StatusCode),
}

async fn exchange(endpoint: &Endpoint, request: Request<Body>) -> Result<String, AskError> {
    let stream = connect_admin(endpoint).await.map_err(AskError::Connect)?;
    let failed = |error: hyper::Error| AskError::Http(error.to_string());
    let opened = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = opened.map_err(failed)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(failed)?;
        let status = response.status();
        let body = to_bytes(Body::new(response.into_body()), LONGEST).await;
        let body = body.map_err(|error| AskError::Http(error.to_string()))?;
        match status {
            StatusCode::OK => String::from_utf8(body.into())
                .map_err(|_| AskError::Http("the answer is not UTF-8".to_owned())),
            status => Err(AskError::Refused(status)),
        }
    };
    tokio::pin!(connection);
    tokio::select! {
        biased;
        answer = exchange => answer,
        // It ends by itself only where the exchange has failed, or before the answer is taken.
        ended = &mut connection => Err(AskError::Http(match ended {
            Ok(()) => "the connection ended before the answer".to_owned(),
            Err(error) => error.to_string(),
        })),
    }
}

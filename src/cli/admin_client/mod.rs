//! Requests to the admin endpoint of a server.

mod exchange;

use std::path::PathBuf;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use self::exchange::{AskError, exchange};
use super::bounded;
use super::escape::one_line;
use super::exit::{Failure, sysexits};
use crate::admin::{AdminEndpoint, Refusal};

/// How long an answer may take. The server waits 2 s for each of its parts.
const LIMIT: Duration = Duration::from_secs(10);

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

/// The admin endpoint of a command that can also do without a server.
#[derive(clap::Args)]
pub(super) struct OptionalAdminArgs {
    /// The running server's admin endpoint: unix:PATH, unix:@NAME, pipe:NAME or tcp:HOST:PORT.
    #[arg(long, value_name = "ENDPOINT", env = "ARAUTO_ADMIN")]
    admin: Option<String>,

    /// The token that a loopback endpoint asks for: the first line of this file.
    #[arg(long, value_name = "FILE", env = "ARAUTO_ADMIN_TOKEN")]
    admin_token: Option<PathBuf>,
}

impl OptionalAdminArgs {
    /// Returns the endpoint, if one is given.
    pub(super) fn given(self) -> Option<AdminArgs> {
        let admin_token = self.admin_token;
        self.admin.map(|admin| AdminArgs { admin, admin_token })
    }
}

impl AdminArgs {
    /// Asks for a path, and returns the answer's text.
    ///
    /// # Errors
    /// Nothing listens there, it does not answer in time, or it refuses.
    pub(super) async fn get(&self, path: &str) -> Result<String, Failure> {
        match self.ask(Method::GET, path, String::new()).await? {
            (StatusCode::OK, text) => Ok(text),
            (status, text) => Err(self.refused(status, path, &text)),
        }
    }

    /// Asks for a path whose answer may be a refusal (409), and returns what the answer's JSON has.
    ///
    /// # Errors
    /// As [`AdminArgs::get`], with the server's reason and exit code if it refuses for now.
    pub(super) async fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        match self.ask(Method::GET, path, String::new()).await? {
            (StatusCode::OK, text) => parse(&text),
            (StatusCode::CONFLICT, text) => {
                let Refusal { error, exit } = parse(&text)?;
                Err(Failure::new(exit, error))
            }
            (status, text) => Err(self.refused(status, path, &text)),
        }
    }

    /// Has the server do what a path names. Returns whether it knows the subject of the path.
    ///
    /// # Errors
    /// As [`AdminArgs::get`].
    pub(super) async fn post(&self, path: &str, body: String) -> Result<bool, Failure> {
        match self.ask(Method::POST, path, body).await? {
            (status, _) if status.is_success() => Ok(true),
            (StatusCode::NOT_FOUND, _) => Ok(false),
            (status, text) => Err(self.refused(status, path, &text)),
        }
    }

    /// Has the server do what a path names, with a body of JSON. Returns the answer's text, or that of
    /// its refusal (409, 422).
    ///
    /// # Errors
    /// As [`AdminArgs::get`].
    pub(super) async fn act<T: DeserializeOwned>(
        &self,
        path: &str,
        body: String,
    ) -> Result<Result<T, Refusal>, Failure> {
        match self.ask(Method::POST, path, body).await? {
            (status, text) if status.is_success() => Ok(Ok(parse(&text)?)),
            (StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY, text) => {
                Ok(Err(parse(&text)?))
            }
            (status, text) => Err(self.refused(status, path, &text)),
        }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<(StatusCode, String), Failure> {
        let endpoint = self.admin.parse::<AdminEndpoint>();
        let endpoint =
            endpoint.map_err(|error| Failure::new(sysexits::USAGE, error.to_string()))?;
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::HOST, "localhost");
        if let Some(token) = self.token()? {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::from(body)).map_err(|_| {
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
                    "cannot connect to {endpoint}: {error}; the server must run with --admin \
                     {endpoint}"
                );
                Failure::new(sysexits::UNAVAILABLE, message)
            }
            AskError::Http(problem) => {
                let message = format!("{endpoint} is no admin endpoint: {problem}");
                Failure::new(sysexits::PROTOCOL, message)
            }
        })
    }

    /// Returns the failure of a request that the server has refused.
    fn refused(&self, status: StatusCode, path: &str, text: &str) -> Failure {
        let admin = &self.admin;
        if status == StatusCode::UNAUTHORIZED {
            let message = format!("{admin} asks for another token: give it with --admin-token");
            return Failure::new(sysexits::NOPERM, message);
        }
        let text = one_line(text.trim_end());
        let message = format!("{admin} answered {status} to {path}: {text}");
        Failure::new(sysexits::UNAVAILABLE, message)
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

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let message = format!("the answer is none of arauto: {error}");
        Failure::new(sysexits::PROTOCOL, message)
    })
}

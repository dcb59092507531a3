//! Handlers of requests: the part that an embedding program writes.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tracing::{Instrument, Span};

use crate::wire::{Body, ErrorCode, Headers, SessionId};

/// Answers the requests of an endpoint.
///
/// It runs on the sessions' threads: what takes long, or waits, belongs into a
/// future ([`Answer::later`]). One session's requests are answered one after the
/// other; those of different sessions go side by side. A panic ends the session
/// that asked, with the error `internal`, and nobody else's.
///
/// Where a request has a valid header `traceparent`, the log records of the handler and of its future
/// are in a span with the fields `trace_id` and `span_id`.
///
/// ```
/// use arauto::{Answer, Body, Handler, HandlerError, Request};
///
/// struct Length;
///
/// impl Handler for Length {
///     fn handle(&self, request: Request<'_>) -> Answer {
///         match request.body.as_text() {
///             Some(text) => Answer::now(Body::from(text.len().to_string())),
///             None => Answer::refuse(HandlerError::NotText),
///         }
///     }
/// }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// Answers one request.
    fn handle(&self, request: Request<'_>) -> Answer;
}

/// A request, and who asks.
#[derive(Debug)]
#[non_exhaustive]
pub struct Request<'a> {
    /// The user who asks; empty in the raw dialect, where nobody logs in.
    pub user: &'a str,
    /// The session that the request came by.
    pub session: SessionId,
    /// The request's body.
    pub body: Body<'a>,
    /// The request's headers. Only a request that names a service has any.
    pub headers: Headers<'a>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(user: &'a str, session: SessionId, body: Body<'a>) -> Self {
        Request {
            user,
            session,
            body,
            headers: Headers::default(),
        }
    }

    pub(crate) fn with_headers(self, headers: Headers<'a>) -> Self {
        Request { headers, ..self }
    }
}

/// A handler's answer.
pub type Outcome = Result<Body<'static>, HandlerError>;

/// An answer, or the promise of one.
pub enum Answer {
    /// It is there.
    Now(Outcome),
    /// It comes later.
    Later(Pin<Box<dyn Future<Output = Outcome> + Send>>),
}

impl Answer {
    /// An answer that is there.
    pub fn now(body: impl Into<Body<'static>>) -> Answer {
        Answer::Now(Ok(body.into()))
    }

    /// A refusal.
    pub fn refuse(error: HandlerError) -> Answer {
        Answer::Now(Err(error))
    }

    /// Has the future of an answer that comes later run in this span.
    pub(crate) fn within(self, span: Span) -> Answer {
        match self {
            Answer::Later(future) if !span.is_none() => {
                Answer::Later(Box::pin(future.instrument(span)))
            }
            other => other,
        }
    }

    /// An answer that comes later.
    pub fn later(future: impl Future<Output = Outcome> + Send + 'static) -> Answer {
        Answer::Later(Box::pin(future))
    }
}

/// Why a handler does not answer; the client gets it as an error frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandlerError {
    /// It answers text only.
    #[error("this endpoint answers text, and the body is a byte string")]
    NotText,
    /// This user may not ask this.
    #[error("{0}")]
    Forbidden(String),
    /// Too much at once.
    #[error("{message}")]
    Throttled {
        /// Names the limit that was exceeded.
        message: String,
        /// When the request may be sent again.
        retry_after: Duration,
    },
    /// Something failed.
    #[error("{0}")]
    Internal(String),
}

impl HandlerError {
    /// The error's code on the wire.
    pub fn code(&self) -> ErrorCode {
        match self {
            HandlerError::NotText => ErrorCode::NotText,
            HandlerError::Forbidden(_) => ErrorCode::Forbidden,
            HandlerError::Throttled { .. } => ErrorCode::Throttled,
            HandlerError::Internal(_) => ErrorCode::Internal,
        }
    }
}

/// Answers text with its Unicode upper case: `straße` becomes `STRASSE`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Upper;

impl Handler for Upper {
    fn handle(&self, request: Request<'_>) -> Answer {
        match request.body {
            Body::Text(text) if text.is_ascii() => Answer::now(text.to_ascii_uppercase()),
            Body::Text(text) => Answer::now(text.to_uppercase()),
            Body::Bytes(_) => Answer::refuse(HandlerError::NotText),
        }
    }
}

/// Answers with what was asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Echo;

impl Handler for Echo {
    fn handle(&self, request: Request<'_>) -> Answer {
        Answer::Now(Ok(request.body.into_owned()))
    }
}

/// Answers everything with the same text.
#[derive(Debug, Clone)]
pub struct Fixed(pub String);

impl Handler for Fixed {
    fn handle(&self, _request: Request<'_>) -> Answer {
        Answer::Now(Ok(Body::Text(Cow::Owned(self.0.clone()))))
    }
}

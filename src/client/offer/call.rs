//! The calls of a service, and the answers to them.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::wire::{Body, CallFrame, Headers};

/// The longest time that a call is expected to have.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// A request to a service, as the handler of [`Client::offer`](crate::Client::offer) gets it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Call {
    /// The service's name.
    pub service: String,
    /// The user that asks.
    pub from: String,
    /// The request: text or bytes.
    pub body: Body<'static>,
    /// The headers of the request; empty if there are none.
    pub headers: Headers<'static>,
    /// The time until which an answer counts.
    pub deadline: Instant,
}

impl Call {
    /// Returns the time that is left for the answer.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    pub(in crate::client) fn of(frame: CallFrame<'_>) -> Call {
        let remaining = Duration::from_millis(frame.remaining).min(LONGEST);
        Call {
            service: frame.service.into_owned(),
            from: frame.from.into_owned(),
            body: frame.body.into_owned(),
            headers: frame.headers.unwrap_or_default().into_owned(),
            deadline: Instant::now() + remaining,
        }
    }
}

/// The answer to a call: a body, and where wanted headers. A handler may return a body by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct CallReply {
    body: Body<'static>,
    headers: Headers<'static>,
}

impl CallReply {
    /// Creates an answer without headers.
    pub fn new(body: impl Into<Body<'static>>) -> CallReply {
        CallReply {
            body: body.into(),
            headers: Headers::default(),
        }
    }

    /// Adds a header, in place of an earlier one of the same name. An answer has at most 32, with
    /// at most 4096 bytes of names and values.
    #[must_use]
    pub fn header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> CallReply {
        self.headers.set(name, value);
        self
    }

    pub(in crate::client) fn into_parts(self) -> (Body<'static>, Headers<'static>) {
        (self.body, self.headers)
    }
}

impl<B: Into<Body<'static>>> From<B> for CallReply {
    fn from(body: B) -> CallReply {
        CallReply::new(body)
    }
}

/// The error with which a service answers a call. The caller gets the code
/// [`ErrorCode::Failed`](crate::ErrorCode::Failed), and this code and message in the error's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct CallError {
    code: Cow<'static, str>,
    message: Cow<'static, str>,
}

impl CallError {
    /// Creates an error. The code is for programs, and the message for people; a code above 64
    /// bytes and a message above 512 bytes are cut.
    pub fn new(
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> CallError {
        CallError {
            code: code.into(),
            message: message.into(),
        }
    }

    /// Returns the code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Returns the message.
    pub fn message(&self) -> &str {
        &self.message
    }
}

pub(in crate::client) type CallResult = Result<CallReply, CallError>;

/// Answers the calls of one service.
pub(in crate::client) type CallHandler =
    Arc<dyn Fn(Call) -> Pin<Box<dyn Future<Output = CallResult> + Send>> + Send + Sync>;

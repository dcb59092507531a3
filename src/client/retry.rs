//! Which failures may pass, and what to do about each: one table, that of docs/protocol.md.

use std::time::Duration;

use super::Backoff;
use super::error::ClientError;
use super::session::{Client, PendingReply};
use crate::transport::ConnectFault;
use crate::wire::{Body, ErrorCode, Seq};

/// The way that a client handles a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryClass {
    /// Try the same again, on the same session where there is one, after a wait
    /// ([`Backoff`]).
    Retry,
    /// The session is over or cannot be had now: connect and log in again, after a wait. What
    /// had no answer when `closing` came was not accepted and may be sent again; without
    /// `closing` nobody knows.
    RetryAfterLogin,
    /// Trying again changes nothing: somebody must act first.
    Final,
}

impl RetryClass {
    /// The class's name, as docs/protocol.md has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            RetryClass::Retry => "retry",
            RetryClass::RetryAfterLogin => "log in again",
            RetryClass::Final => "final",
        }
    }

    /// Returns the class of an error frame that answers a frame. A code that this version does
    /// not know counts as a failed frame.
    pub const fn of_code(code: ErrorCode) -> RetryClass {
        match code {
            ErrorCode::Throttled | ErrorCode::Internal => RetryClass::Retry,
            ErrorCode::NotLoggedIn
            | ErrorCode::LoginTimeout
            | ErrorCode::IdleTimeout
            | ErrorCode::TooManySessions
            | ErrorCode::SlowConsumer
            | ErrorCode::Stopping => RetryClass::RetryAfterLogin,
            _ => RetryClass::Final,
        }
    }

    /// Returns the class of a session that ended with `closing` for this reason.
    pub fn of_reason(reason: &str) -> RetryClass {
        match reason {
            "shutdown" | "disconnected" | "fim" => RetryClass::RetryAfterLogin,
            _ => {
                let code = ErrorCode::ALL.iter().find(|code| code.as_str() == reason);
                match code.map(|code| RetryClass::of_code(*code)) {
                    Some(RetryClass::Retry) => RetryClass::RetryAfterLogin,
                    Some(class) => class,
                    None => RetryClass::Final,
                }
            }
        }
    }

    /// Returns the class of a connect that failed.
    pub const fn of_fault(fault: ConnectFault) -> RetryClass {
        match fault {
            ConnectFault::Refused
            | ConnectFault::Missing
            | ConnectFault::Busy
            | ConnectFault::Reset
            | ConnectFault::TimedOut
            | ConnectFault::Unreachable
            | ConnectFault::OutOfResources
            | ConnectFault::LookupFailed => RetryClass::RetryAfterLogin,
            ConnectFault::UnknownHost
            | ConnectFault::Denied
            | ConnectFault::TlsFailed
            | ConnectFault::Other => RetryClass::Final,
        }
    }
}

impl ClientError {
    /// Returns what to do about it.
    pub fn retry_class(&self) -> RetryClass {
        match self {
            ClientError::Connect { fault, .. } => RetryClass::of_fault(*fault),
            ClientError::Refused { code, .. } => RetryClass::of_code(*code),
            ClientError::Closed(reason) => RetryClass::of_reason(reason),
            ClientError::Lost(_) => RetryClass::RetryAfterLogin,
            _ => RetryClass::Final,
        }
    }
}

impl Client {
    /// Sends a message as [`Client::begin_publish`] does. A refusal that may pass
    /// ([`RetryClass::Retry`]) is not the answer yet: the message is sent again after a wait,
    /// until `patience` has passed. Messages behind it may overtake it.
    ///
    /// # Errors
    /// The session is over.
    pub async fn begin_publish_patiently(
        &self,
        body: Body<'static>,
        patience: Duration,
    ) -> Result<PendingReply<Seq>, ClientError> {
        let first = self.begin_publish(body.clone()).await?;
        let client = self.clone();
        Ok(PendingReply::new(async move {
            let mut outcome = first.await;
            let mut backoff = Backoff::until(patience);
            while let Err(error) = &outcome
                && error.retry_class() == RetryClass::Retry
                && let Some(wait) = backoff.next_wait(error.retry_after())
            {
                tokio::time::sleep(wait).await;
                outcome = client.publish(body.clone()).await;
            }
            outcome
        }))
    }

    /// Sends a request as [`Client::begin_request`] does, and again after a wait while it is
    /// refused for a reason that may pass, as [`Client::begin_publish_patiently`] does.
    ///
    /// # Errors
    /// The session is over.
    pub async fn begin_request_patiently(
        &self,
        body: Body<'static>,
        patience: Duration,
    ) -> Result<PendingReply<Body<'static>>, ClientError> {
        let first = self.begin_request(body.clone()).await?;
        let client = self.clone();
        Ok(PendingReply::new(async move {
            let mut outcome = first.await;
            let mut backoff = Backoff::until(patience);
            // A handler's own failure may be for good, and its work may be done twice.
            while let Err(error) = &outcome
                && error.code() == Some(ErrorCode::Throttled)
                && let Some(wait) = backoff.next_wait(error.retry_after())
            {
                tokio::time::sleep(wait).await;
                outcome = client.request(body.clone()).await;
            }
            outcome
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_that_ended_is_never_retried_on_itself() {
        for code in ErrorCode::ALL {
            assert_ne!(RetryClass::of_reason(code.as_str()), RetryClass::Retry);
        }
        for reason in ["fim", "shutdown", "disconnected"] {
            assert_eq!(RetryClass::of_reason(reason), RetryClass::RetryAfterLogin);
        }
    }

    #[test]
    fn reason_that_nobody_knows_is_final() {
        // As when an account was removed: a login would make it anew.
        for reason in ["revoked", "superseded", "something new"] {
            assert_eq!(RetryClass::of_reason(reason), RetryClass::Final);
        }
        assert_eq!(RetryClass::of_code(ErrorCode::Unknown), RetryClass::Final);
    }
}

//! Which failures may pass, and what to do about each: one table, that of docs/protocol.md.

use super::error::ClientError;
use crate::transport::ConnectFault;
use crate::wire::{CloseReason, ErrorCode, Named};

/// The way that a client handles a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryClass {
    /// Try the same again, on the same session where there is one, after a wait
    /// ([`Backoff`](crate::Backoff)).
    Retry,
    /// The session has ended or cannot begin now: connect and log in again, after a wait. Frames
    /// that had no answer when `closing` came were not accepted and may be sent again; without
    /// `closing` that is unknown.
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
    pub fn of_end(reason: &Named<CloseReason>) -> RetryClass {
        match reason.known() {
            Some(CloseReason::Error(code)) => match RetryClass::of_code(code) {
                RetryClass::Retry => RetryClass::RetryAfterLogin,
                class => class,
            },
            Some(CloseReason::Fim | CloseReason::Shutdown | CloseReason::Disconnected) => {
                RetryClass::RetryAfterLogin
            }
            // A server sends no `lost`.
            Some(CloseReason::Lost) | None => RetryClass::Final,
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
            ClientError::Closed(reason) => RetryClass::of_end(reason),
            ClientError::Lost(_) => RetryClass::RetryAfterLogin,
            _ => RetryClass::Final,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_session_is_never_retried_on_the_same_session() {
        for code in ErrorCode::ALL {
            assert_ne!(RetryClass::of_end(&code.as_str().into()), RetryClass::Retry);
        }
        for reason in ["fim", "shutdown", "disconnected"] {
            assert_eq!(
                RetryClass::of_end(&reason.into()),
                RetryClass::RetryAfterLogin
            );
        }
    }

    #[test]
    fn unknown_close_reason_is_final() {
        // As when an account was removed: a login would make it anew.
        for reason in ["revoked", "superseded", "something new"] {
            assert_eq!(RetryClass::of_end(&reason.into()), RetryClass::Final);
        }
        assert_eq!(RetryClass::of_code(ErrorCode::Unknown), RetryClass::Final);
    }
}

//! How a command fails: a code of sysexits(3) and a line for a person.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use arauto::{ClientError, ErrorCode};

use super::deadline::within;

/// Exit codes, see sysexits(3).
pub(super) mod sysexits {
    pub(crate) const USAGE: u8 = 64;
    pub(crate) const DATAERR: u8 = 65;
    pub(crate) const NOINPUT: u8 = 66;
    pub(crate) const UNAVAILABLE: u8 = 69;
    pub(crate) const SOFTWARE: u8 = 70;
    pub(crate) const OSERR: u8 = 71;
    pub(crate) const CANTCREAT: u8 = 73;
    pub(crate) const IOERR: u8 = 74;
    pub(crate) const TEMPFAIL: u8 = 75;
    pub(crate) const PROTOCOL: u8 = 76;
    pub(crate) const NOPERM: u8 = 77;
    pub(crate) const CONFIG: u8 = 78;
}

/// How long a stderr that nobody reads may keep a command that is over.
const STUCK: Duration = Duration::from_secs(1);

/// Tells a person on stderr. One that fails is no panic, and one that is stuck holds
/// nothing up: neither may change the exit code.
pub(super) fn complain(message: &str) {
    let line = format!("arauto: {message}\n");
    let _ = within(STUCK, move || io::stderr().write_all(line.as_bytes()));
}

/// Why a command failed.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    pub(super) fn new(code: u8, message: impl Into<String>) -> Self {
        Failure {
            code,
            message: message.into(),
        }
    }

    /// Tells it on stderr.
    pub(super) fn tell(&self) -> ExitCode {
        if !self.message.is_empty() {
            complain(&self.message);
        }
        ExitCode::from(self.code)
    }

    pub(super) fn code(&self) -> u8 {
        self.code
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Whether the same may work a little later.
    pub(super) fn may_pass(&self) -> bool {
        matches!(
            self.code,
            sysexits::UNAVAILABLE | sysexits::TEMPFAIL | sysexits::IOERR
        )
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match &error {
            // It is there, and is not the server that is meant.
            ClientError::Connect {
                kind: io::ErrorKind::InvalidData,
                ..
            } => Failure::new(sysexits::PROTOCOL, error.to_string()),
            ClientError::Connect { kind, .. } => {
                let advice = match kind {
                    io::ErrorKind::PermissionDenied => {
                        "its server lets only its own user in: run as that user"
                    }
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                        "no server listens there: start one with `arauto serve`, or name \
                         another with --connect"
                    }
                    _ => "name another endpoint with --connect",
                };
                Failure::new(sysexits::UNAVAILABLE, format!("{error}; {advice}"))
            }
            ClientError::Untrusted(_) | ClientError::UnsafeFolder { .. } => {
                Failure::new(sysexits::NOPERM, error.to_string())
            }
            ClientError::Refused { code, .. } => {
                Failure::new(refused(*code), format!("the server says: {error}"))
            }
            ClientError::Protocol(_) => Failure::new(sysexits::PROTOCOL, error.to_string()),
            ClientError::Closed(reason) if reason == ErrorCode::Revoked.as_str() => {
                let advice = "the account was removed or has another password: ask the operator";
                Failure::new(sysexits::NOPERM, format!("{error}; {advice}"))
            }
            ClientError::Closed(_) => Failure::new(sysexits::TEMPFAIL, error.to_string()),
            _ => Failure::new(sysexits::IOERR, error.to_string()),
        }
    }
}

fn refused(code: ErrorCode) -> u8 {
    match code {
        ErrorCode::BadCredentials
        | ErrorCode::RegistrationClosed
        | ErrorCode::Forbidden
        | ErrorCode::Revoked
        | ErrorCode::NotLoggedIn => sysexits::NOPERM,
        ErrorCode::BadName => sysexits::USAGE,
        ErrorCode::NotText | ErrorCode::FrameTooLarge => sysexits::DATAERR,
        ErrorCode::Throttled | ErrorCode::Stopping | ErrorCode::TooManySessions => {
            sysexits::TEMPFAIL
        }
        ErrorCode::Internal => sysexits::SOFTWARE,
        _ => sysexits::PROTOCOL,
    }
}

/// Writing to stdout failed; a reader that has had enough is no failure.
pub(super) fn stdout_failed(error: &io::Error) -> Result<u8, Failure> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Ok(0);
    }
    let message = format!("cannot write to stdout: {error}");
    Err(Failure::new(sysexits::IOERR, message))
}

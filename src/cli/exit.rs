//! How a command fails: a code of sysexits(3) and a line for a person.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use arauto::{ClientError, ErrorCode};

use super::deadline::within;
use super::output::{one_line, shown};

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

/// The exit code of a filter whose reader has gone: the one that a shell shows for a
/// program that SIGPIPE has ended (signal(7)).
const READER_GONE: u8 = 128 + 13;

/// Tells a person on stderr, which may be a terminal: hostile characters are escaped. A
/// stderr that fails is no panic, and one that is stuck holds nothing up: neither may
/// change the exit code.
pub(super) fn complain(message: &str) {
    let line = format!("arauto: {}\n", shown(message));
    let same = line.clone();
    let told = within(STUCK, move || io::stderr().write_all(line.as_bytes()));
    if told.is_err() {
        // There is no thread to have: it is told all the same.
        let _ = io::stderr().write_all(same.as_bytes());
    }
}

/// Why a command failed.
#[derive(Debug, Clone)]
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

    /// The same failure, with what a person must know besides.
    pub(super) fn with(self, note: &str) -> Failure {
        Failure {
            message: match self.message.as_str() {
                "" => note.to_owned(),
                message => format!("{message}; {note}"),
            },
            ..self
        }
    }

    /// The same failure of what stands at this place of the input.
    pub(super) fn at(self, place: &str) -> Failure {
        Failure {
            message: format!("{place}: {}", self.message),
            ..self
        }
    }

    /// Whether it is that nobody reads what is printed.
    pub(super) fn is_reader_gone(&self) -> bool {
        self.code == READER_GONE
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        // The server's words stay on their line.
        let said = error.to_string();
        let said = one_line(&said);
        match &error {
            // It is there, and is not the server that is meant.
            ClientError::Connect {
                kind: io::ErrorKind::InvalidData,
                ..
            } => Failure::new(sysexits::PROTOCOL, said),
            // No such endpoint can be: its name is too long, or of another system.
            ClientError::Connect {
                kind: io::ErrorKind::InvalidInput | io::ErrorKind::InvalidFilename,
                ..
            } => Failure::new(sysexits::USAGE, said),
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
                Failure::new(sysexits::UNAVAILABLE, format!("{said}; {advice}"))
            }
            ClientError::Untrusted(_) | ClientError::UnsafeFolder { .. } => {
                Failure::new(sysexits::NOPERM, said)
            }
            ClientError::Refused { code, .. } => {
                Failure::new(refused(*code), format!("the server says: {said}"))
            }
            ClientError::Protocol(_) => Failure::new(sysexits::PROTOCOL, said),
            ClientError::Closed(reason) if reason == ErrorCode::Revoked.as_str() => {
                let advice = "the account was removed or has another password: ask the operator";
                Failure::new(sysexits::NOPERM, format!("{said}; {advice}"))
            }
            ClientError::Closed(_) => Failure::new(sysexits::TEMPFAIL, said),
            _ => Failure::new(sysexits::IOERR, said),
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

/// How a command fails that could not print. A reader that has had enough ends a filter
/// without a word, as SIGPIPE would; a command that did more than print adds what it did.
pub(super) fn stdout_failed(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::new(READER_GONE, "");
    }
    let message = format!("cannot write to stdout: {error}");
    Failure::new(sysexits::IOERR, message)
}

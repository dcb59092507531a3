//! The failure of a command: an exit code of sysexits(3) and a message for people.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use arauto::{ClientError, CloseReason, ErrorCode, Named};

use super::deadline::within;
use super::escape::{one_line, shown};
use super::os::is_stderr_journal;

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

/// How long a blocked stderr may delay a command that ends.
const STDERR_LIMIT: Duration = Duration::from_secs(1);

/// The exit code of a filter whose reader has gone: as a shell shows it for a program that
/// SIGPIPE ended (signal(7)).
const READER_GONE: u8 = 128 + 13;

/// Prints a message on stderr, which may be a terminal: hostile characters are escaped. A stderr
/// that fails, or that is blocked, does not change the exit code.
pub(super) fn complain(message: &str) {
    // The journal takes the priority of an error from this prefix (sd-daemon(3)).
    let priority = if is_stderr_journal() { "<3>" } else { "" };
    let line = format!("{priority}arauto: {}\n", shown(message));
    let copy = line.clone();
    let written = within(STDERR_LIMIT, move || {
        io::stderr().write_all(line.as_bytes())
    });
    if written.is_err() {
        // No thread could be started: this one writes, without a deadline.
        let _ = io::stderr().write_all(copy.as_bytes());
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

    /// Prints the message on stderr, and returns the exit code.
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

    /// Adds a note behind the message.
    pub(super) fn with(self, note: &str) -> Failure {
        Failure {
            message: match self.message.as_str() {
                "" => note.to_owned(),
                message => format!("{message}; {note}"),
            },
            ..self
        }
    }

    /// Adds the position in the input before the message.
    pub(super) fn at(self, position: &str) -> Failure {
        Failure {
            message: format!("{position}: {}", self.message),
            ..self
        }
    }

    /// Returns whether the command failed because the reader of its output has gone.
    pub(super) fn is_reader_gone(&self) -> bool {
        self.code == READER_GONE
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        // Escaped: the text may contain the server's own words.
        let text = error.to_string();
        let text = one_line(&text);
        match &error {
            // Something listens there, but it is not an arauto server.
            ClientError::Connect {
                kind: io::ErrorKind::InvalidData,
                ..
            } => Failure::new(sysexits::PROTOCOL, text),
            // The endpoint is impossible: its name is too long, or is for another system.
            ClientError::Connect {
                kind: io::ErrorKind::InvalidInput | io::ErrorKind::InvalidFilename,
                ..
            } => Failure::new(sysexits::USAGE, text),
            ClientError::Connect { kind, .. } => {
                let advice = match kind {
                    io::ErrorKind::PermissionDenied => {
                        "its server accepts only clients of its own user: run as that user"
                    }
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                        "no server listens there: start one with `arauto serve`, or choose \
                         another endpoint with --connect"
                    }
                    _ => "choose another endpoint with --connect",
                };
                Failure::new(sysexits::UNAVAILABLE, format!("{text}; {advice}"))
            }
            ClientError::Untrusted(_) | ClientError::UnsafeFolder { .. } => {
                Failure::new(sysexits::NOPERM, text)
            }
            // It was accepted, and no reply came.
            ClientError::Refused {
                code: code @ (ErrorCode::Unavailable | ErrorCode::Timeout | ErrorCode::Failed),
                ..
            } => Failure::new(exit_code_of(*code), text),
            ClientError::Refused { code, .. } => {
                Failure::new(exit_code_of(*code), format!("the server refused: {text}"))
            }
            ClientError::Protocol(_) => Failure::new(sysexits::PROTOCOL, text),
            ClientError::Closed(Named::Known(CloseReason::Error(ErrorCode::Revoked))) => {
                let advice =
                    "the account was removed or its password was changed: ask the operator";
                Failure::new(sysexits::NOPERM, format!("{text}; {advice}"))
            }
            ClientError::Closed(_) => Failure::new(sysexits::TEMPFAIL, text),
            _ => Failure::new(sysexits::IOERR, text),
        }
    }
}

fn exit_code_of(code: ErrorCode) -> u8 {
    match code {
        ErrorCode::BadCredentials
        | ErrorCode::RegistrationClosed
        | ErrorCode::Forbidden
        | ErrorCode::Revoked
        | ErrorCode::NotLoggedIn => sysexits::NOPERM,
        ErrorCode::BadName => sysexits::USAGE,
        ErrorCode::NotText | ErrorCode::FrameTooLarge => sysexits::DATAERR,
        ErrorCode::Throttled
        | ErrorCode::Stopping
        | ErrorCode::TooManySessions
        | ErrorCode::Timeout => sysexits::TEMPFAIL,
        ErrorCode::Unavailable => sysexits::UNAVAILABLE,
        ErrorCode::Internal | ErrorCode::Failed => sysexits::SOFTWARE,
        _ => sysexits::PROTOCOL,
    }
}

/// Returns the failure of a command whose output could not be written. If the reader has gone
/// the message is empty: a filter then ends silently, as SIGPIPE would end it. A command that
/// did more than print adds a note.
pub(super) fn stdout_failed(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::new(READER_GONE, "");
    }
    let message = format!("cannot write to stdout: {error}");
    Failure::new(sysexits::IOERR, message)
}

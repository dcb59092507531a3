//! Tells a person what becomes of a session that connects again.

use arauto::{ClientError, Incoming};

use super::escape::one_line;
use super::exit::{Failure, complain};

/// Prints notices about a session, and each failed attempt to connect once.
#[derive(Default)]
pub(super) struct SessionNotices {
    /// The failure of the last attempt that was printed.
    last_printed: String,
}

impl SessionNotices {
    /// Notes that a session has begun.
    pub(super) fn reconnected(&mut self) {
        self.last_printed.clear();
    }

    /// Prints the notice for an item that has one.
    pub(super) fn tell(&mut self, incoming: &Incoming) {
        match incoming {
            Incoming::Stopping(notice) => {
                let reason = one_line(notice.reason.as_str());
                complain(&format!("the server is stopping ({reason})"));
            }
            Incoming::Disconnected(error) => {
                let why = match error {
                    ClientError::Closed(reason) => reason.to_string(),
                    ClientError::Lost(problem) => problem.to_string(),
                    other => other.to_string(),
                };
                let why = one_line(&why);
                complain(&format!("the session ended ({why}), connecting again"));
            }
            Incoming::Retrying { error, .. } => self.retrying(&Failure::from(error.clone())),
            _ => {}
        }
    }

    /// Prints a failed attempt, unless the last one that was printed failed in the same way.
    pub(super) fn retrying(&mut self, failure: &Failure) {
        if self.last_printed != failure.message() {
            failure.message().clone_into(&mut self.last_printed);
            complain(&format!("{}; trying again", self.last_printed));
        }
    }
}

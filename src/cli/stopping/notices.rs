//! The notices to the service manager, sent in order by a thread that nothing waits for.

use std::time::Duration;

use arauto::Phase;

use super::background::BackgroundTasks;
use crate::cli::os::{self, ServiceNotice};

/// The time beyond a deadline within which the server still makes progress: it enforces its
/// deadlines late on a busy machine, and then writes its report and the end of its log.
const MARGIN: Duration = Duration::from_secs(5);

/// Sends notices; clones share one thread. Without a service manager it does nothing.
#[derive(Clone)]
pub(super) struct NoticeSender(Option<BackgroundTasks>);

impl NoticeSender {
    /// Starts the thread, if a service manager wants to be notified.
    pub(super) fn begin() -> NoticeSender {
        let is_wanted = os::has_service_manager();
        NoticeSender(is_wanted.then(|| BackgroundTasks::begin("arauto-notify")))
    }

    /// Sends a notice behind those that were sent before it.
    pub(super) fn send(&self, notice: ServiceNotice) {
        if let Some(tasks) = &self.0 {
            tasks.run(move || os::notify(&notice));
        }
    }
}

/// The notices of a server's life.
pub(super) struct ServiceNotices {
    sender: NoticeSender,
    is_stopping: bool,
    /// The phase that the stop has reached, not sent yet: of phases that end at once only the last
    /// is sent.
    reached: Option<ServiceNotice>,
}

impl ServiceNotices {
    pub(super) fn begin() -> ServiceNotices {
        ServiceNotices {
            sender: NoticeSender::begin(),
            is_stopping: false,
            reached: None,
        }
    }

    /// Returns a sender for a task that has notices of its own.
    pub(super) fn sender(&self) -> NoticeSender {
        self.sender.clone()
    }

    /// Notifies that the server serves.
    pub(super) fn ready(&self) {
        self.sender.send(ServiceNotice::Ready);
    }

    /// Tells the state of a server that serves; a stop has a state of its own.
    pub(super) fn status(&self, status: String) {
        if !self.is_stopping {
            self.sender.send(ServiceNotice::Status(status));
        }
    }

    /// Notifies, once, that a stop of `total` at most has begun.
    pub(super) fn stopping(&mut self, total: Duration) {
        if std::mem::replace(&mut self.is_stopping, true) {
            return;
        }
        let first = Phase::Trigger.next().unwrap_or(Phase::Trigger);
        let left = time_left(first, total, Duration::ZERO);
        self.sender.send(ServiceNotice::Stopping(left));
    }

    /// Notes that `phase` of a stop of `total` is over, `elapsed` after its begin.
    pub(super) fn phase_over(&mut self, phase: Phase, total: Duration, elapsed: Duration) {
        let (part, left) = match phase.next() {
            Some(next) => (format!("phase {next}"), time_left(next, total, elapsed)),
            None => ("writing the report".to_owned(), MARGIN),
        };
        self.reached = Some(ServiceNotice::StillStopping(part, left));
    }

    /// Sends the phase that the stop has reached since the last call.
    pub(super) fn flush(&mut self) {
        if let Some(notice) = self.reached.take() {
            self.sender.send(notice);
        }
    }
}

/// Returns how long `phase` of a stop of `total` may still take, `elapsed` after the stop's begin.
/// A phase has its own share of the total, and what earlier phases have left over.
fn time_left(phase: Phase, total: Duration, elapsed: Duration) -> Duration {
    let up_to_it = Phase::ALL.iter().take_while(|earlier| **earlier <= phase);
    let deadline: Duration = up_to_it.map(|earlier| earlier.budget(total)).sum();
    deadline.saturating_sub(elapsed) + MARGIN
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOTAL: Duration = Duration::from_secs(20);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn phase_has_its_share_and_what_earlier_ones_left() {
        let drain = |elapsed| time_left(Phase::Drain, TOTAL, elapsed);
        assert_eq!(drain(Duration::ZERO), 16 * SECOND + MARGIN);
        assert_eq!(drain(10 * SECOND), 6 * SECOND + MARGIN);
        assert_eq!(drain(17 * SECOND), MARGIN);
        assert_eq!(time_left(Phase::Store, TOTAL, SECOND), 19 * SECOND + MARGIN);
    }
}

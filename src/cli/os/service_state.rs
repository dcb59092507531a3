//! The state of a Windows service, as its process reports it to the service manager
//! (SERVICE_STATUS).
//!
//! This file decides and does no I/O: controls and notices go in, statuses come out. A state is never
//! left for an earlier one, so a control or a notice that comes late changes nothing.

use std::time::Duration;

use super::service_notice::ServiceNotice;

/// How long a start may take before the service manager calls it late. It does not end a service
/// that is late.
const START_HINT: Duration = Duration::from_secs(60);

/// The time from a control until the stop has told the time of its first phase.
const STOP_HINT: Duration = Duration::from_secs(5);

/// The longest hint: the field has 32 bits of milliseconds.
const LONGEST_HINT: Duration = Duration::from_millis(u32::MAX as u64);

/// A state of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum ServiceState {
    /// It starts.
    StartPending,
    /// It serves.
    Running,
    /// It stops.
    StopPending,
    /// It has stopped.
    Stopped,
}

/// A report to the service manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct ServiceStatus {
    /// The state.
    pub(in crate::cli) state: ServiceState,
    /// Counts the steps of a start or a stop, from 1; otherwise 0.
    pub(in crate::cli) checkpoint: u32,
    /// The time until the next step of a start or a stop; otherwise 0.
    pub(in crate::cli) wait_hint: Duration,
    /// The exit code of a service that has stopped; otherwise 0.
    pub(in crate::cli) exit_code: u8,
}

impl ServiceStatus {
    /// Returns whether the service takes controls: only while it serves. The service manager
    /// delivers none during a start, and a stop has begun already.
    pub(in crate::cli) fn accepts_controls(&self) -> bool {
        self.state == ServiceState::Running
    }
}

/// The progress of a service through its states.
#[derive(Debug)]
pub(in crate::cli) struct ServiceProgress {
    status: ServiceStatus,
}

impl ServiceProgress {
    /// Returns the progress of a service that starts.
    pub(in crate::cli) fn new() -> ServiceProgress {
        ServiceProgress {
            status: pending(ServiceState::StartPending, 1, START_HINT),
        }
    }

    /// Returns the status.
    pub(in crate::cli) fn status(&self) -> ServiceStatus {
        self.status
    }

    /// Takes a control that asks for a stop. `None`: the service stops already.
    pub(in crate::cli) fn stop_requested(&mut self) -> Option<ServiceStatus> {
        match self.status.state {
            ServiceState::StartPending | ServiceState::Running => self.stop_step(STOP_HINT),
            ServiceState::StopPending | ServiceState::Stopped => None,
        }
    }

    /// Takes a notice of the server. `None`: the status is as before.
    pub(in crate::cli) fn note(&mut self, notice: &ServiceNotice) -> Option<ServiceStatus> {
        match (notice, self.status.state) {
            (ServiceNotice::Ready, ServiceState::StartPending) => {
                self.status = pending(ServiceState::Running, 0, Duration::ZERO);
                Some(self.status)
            }
            (ServiceNotice::Stopping(left) | ServiceNotice::StillStopping(_, left), _) => {
                self.stop_step(*left)
            }
            _ => None,
        }
    }

    /// Takes the end of the server, with its exit code.
    pub(in crate::cli) fn end(&mut self, exit_code: u8) -> ServiceStatus {
        self.status = ServiceStatus {
            exit_code,
            ..pending(ServiceState::Stopped, 0, Duration::ZERO)
        };
        self.status
    }

    /// Takes the next step of a stop, which takes so long at most.
    fn stop_step(&mut self, left: Duration) -> Option<ServiceStatus> {
        let checkpoint = match self.status.state {
            ServiceState::Stopped => return None,
            ServiceState::StopPending => self.status.checkpoint + 1,
            ServiceState::StartPending | ServiceState::Running => 1,
        };
        self.status = pending(
            ServiceState::StopPending,
            checkpoint,
            left.min(LONGEST_HINT),
        );
        Some(self.status)
    }
}

fn pending(state: ServiceState, checkpoint: u32, wait_hint: Duration) -> ServiceStatus {
    ServiceStatus {
        state,
        checkpoint,
        wait_hint,
        exit_code: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn running() -> ServiceProgress {
        let mut progress = ServiceProgress::new();
        let status = progress.note(&ServiceNotice::Ready);
        let running = pending(ServiceState::Running, 0, Duration::ZERO);
        assert_eq!(status, Some(running));
        progress
    }

    fn phase(left: Duration) -> ServiceNotice {
        ServiceNotice::StillStopping("phase drain".to_owned(), left)
    }

    #[test]
    fn controls_are_accepted_only_while_the_server_serves() {
        let mut progress = ServiceProgress::new();
        assert_eq!(progress.status().state, ServiceState::StartPending);
        assert!(!progress.status().accepts_controls());
        progress = running();
        assert!(progress.status().accepts_controls());
        let stopping = progress.stop_requested().expect("it has not stopped");
        assert!(!stopping.accepts_controls());
        assert!(!progress.end(0).accepts_controls());
    }

    #[test]
    fn each_phase_of_a_stop_is_a_checkpoint_with_its_time() {
        let mut progress = running();
        let steps = [
            progress.stop_requested(),
            progress.note(&ServiceNotice::Stopping(3 * SECOND)),
            progress.note(&phase(21 * SECOND)),
            progress.note(&phase(6 * SECOND)),
        ];
        let expected = [
            (1, STOP_HINT),
            (2, 3 * SECOND),
            (3, 21 * SECOND),
            (4, 6 * SECOND),
        ];
        let stopping = |(checkpoint, hint)| pending(ServiceState::StopPending, checkpoint, hint);
        assert_eq!(steps, expected.map(stopping).map(Some));
    }

    #[test]
    fn stop_without_a_control_is_reported_from_its_first_notice() {
        let mut progress = running();
        let status = progress.note(&ServiceNotice::Stopping(SECOND));
        assert_eq!(status, Some(pending(ServiceState::StopPending, 1, SECOND)));
        assert_eq!(progress.stop_requested(), None);
    }

    #[test]
    fn late_notices_and_controls_change_no_state() {
        let mut progress = ServiceProgress::new();
        assert!(progress.stop_requested().is_some(), "a start is abandoned");
        assert_eq!(progress.note(&ServiceNotice::Ready), None);
        assert_eq!(progress.status().state, ServiceState::StopPending);
        let stopped = progress.end(3);
        assert_eq!(progress.note(&phase(SECOND)), None);
        assert_eq!(progress.note(&ServiceNotice::Ready), None);
        assert_eq!(progress.stop_requested(), None);
        assert_eq!(progress.status(), stopped);
        assert_eq!(
            (stopped.state, stopped.exit_code),
            (ServiceState::Stopped, 3)
        );
    }

    #[test]
    fn notices_that_are_no_step_change_nothing() {
        let mut progress = running();
        for notice in [
            ServiceNotice::Ready,
            ServiceNotice::Alive,
            ServiceNotice::Reloading,
            ServiceNotice::Status("serving".to_owned()),
            ServiceNotice::Failed(70, "a part panicked".to_owned()),
        ] {
            assert_eq!(progress.note(&notice), None, "{notice:?}");
        }
        assert_eq!(progress.status().state, ServiceState::Running);
    }

    #[test]
    fn wait_hint_fits_into_32_bits_of_milliseconds() {
        let mut progress = running();
        let status = progress.note(&ServiceNotice::Stopping(Duration::MAX));
        let hint = status.expect("it is a step").wait_hint;
        assert_eq!(u32::try_from(hint.as_millis()), Ok(u32::MAX));
    }
}

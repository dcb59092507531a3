//! How long to wait for a service that starts or stops.
//!
//! A service counts its steps (the checkpoint) and tells how long the next one may take (the wait
//! hint). One that takes no step within that time makes no progress. It follows the Win32 page
//! "Starting a Service", and does no I/O.

use std::time::{Duration, Instant};

/// The time beyond a hint: a busy machine is late.
const MARGIN: Duration = Duration::from_secs(5);

/// The longest hint that is believed.
const LONGEST_HINT: Duration = Duration::from_secs(3600);

/// The wait for a service.
#[derive(Debug)]
pub(in crate::cli) struct ServiceWait {
    checkpoint: Option<u32>,
    deadline: Instant,
}

impl ServiceWait {
    /// Begins to wait.
    pub(in crate::cli) fn new(now: Instant) -> ServiceWait {
        ServiceWait {
            checkpoint: None,
            deadline: now + MARGIN,
        }
    }

    /// Takes what the service tells at `now`. Returns whether it makes no progress.
    pub(in crate::cli) fn is_over(
        &mut self,
        checkpoint: u32,
        wait_hint: Duration,
        now: Instant,
    ) -> bool {
        if self.checkpoint != Some(checkpoint) {
            self.checkpoint = Some(checkpoint);
            self.deadline = now + wait_hint.min(LONGEST_HINT) + MARGIN;
        }
        now >= self.deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HINT: Duration = Duration::from_secs(20);

    #[test]
    fn service_that_takes_steps_is_waited_for() {
        let start = Instant::now();
        let mut wait = ServiceWait::new(start);
        for step in 1..10 {
            let now = start + (HINT + MARGIN / 2) * step;
            assert!(!wait.is_over(step, HINT, now), "step {step}");
        }
    }

    #[test]
    fn service_without_a_step_is_waited_for_until_its_hint_is_over() {
        let start = Instant::now();
        let mut wait = ServiceWait::new(start);
        assert!(!wait.is_over(1, HINT, start));
        assert!(!wait.is_over(1, HINT, start + HINT));
        assert!(wait.is_over(1, Duration::MAX, start + HINT + MARGIN));
        assert!(!wait.is_over(2, Duration::MAX, start + HINT + MARGIN));
    }
}

//! When a drain stops the server. It does no I/O.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// The newest request to drain. Clones share it.
#[derive(Debug, Clone, Default)]
pub(in crate::admin) struct Plan(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Requests so far: each takes the place of the one before.
    requests: u64,
    until: Option<Instant>,
}

/// When one request stops the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    request: u64,
    until: Instant,
}

impl Plan {
    /// Begins a drain that stops the server within `limit` of `now`. `None`: it does not stop it.
    pub(super) fn begin(&self, limit: Option<Duration>, now: Instant) -> Option<Due> {
        let mut state = self.0.lock();
        state.requests += 1;
        // A time beyond the clock's range is none.
        state.until = limit.and_then(|limit| now.checked_add(limit));
        let request = state.requests;
        state.until.map(|until| Due { request, until })
    }

    /// Cancels the drain.
    pub(super) fn cancel(&self) {
        let mut state = self.0.lock();
        state.requests += 1;
        state.until = None;
    }

    /// Whether no later request has come.
    pub(super) fn is_current(&self, due: Due) -> bool {
        self.0.lock().requests == due.request
    }

    /// Returns the time that is left until the server stops; `None`: no drain stops it.
    pub(in crate::admin) fn left(&self, now: Instant) -> Option<Duration> {
        let until = self.0.lock().until?;
        Some(until.saturating_duration_since(now))
    }
}

impl Due {
    /// Whether the server is to stop now: it has no session, or the time is up. `None`: the number of
    /// sessions is not known.
    pub(super) fn is_over(self, sessions: Option<usize>, now: Instant) -> bool {
        sessions == Some(0) || now >= self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn drain_is_over_without_sessions_or_when_its_time_is_up() {
        let (plan, now) = (Plan::default(), Instant::now());
        let due = plan
            .begin(Some(2 * SECOND), now)
            .expect("it stops the server");
        assert!(!due.is_over(Some(1), now) && !due.is_over(None, now));
        assert!(due.is_over(Some(0), now));
        assert!(due.is_over(Some(1), now + 2 * SECOND) && due.is_over(None, now + 2 * SECOND));
        assert_eq!(plan.left(now + SECOND), Some(SECOND));
        assert_eq!(plan.left(now + 3 * SECOND), Some(Duration::ZERO));
    }

    #[test]
    fn later_request_takes_the_place_of_the_earlier_one() {
        let (plan, now) = (Plan::default(), Instant::now());
        let first = plan.begin(Some(SECOND), now).expect("it stops the server");
        let second = plan
            .begin(Some(2 * SECOND), now)
            .expect("it stops the server");
        assert!(!plan.is_current(first) && plan.is_current(second));
        assert_eq!(plan.begin(None, now), None);
        assert_eq!((plan.is_current(second), plan.left(now)), (false, None));
        let third = plan.begin(Some(SECOND), now).expect("it stops the server");
        plan.cancel();
        assert_eq!((plan.is_current(third), plan.left(now)), (false, None));
    }
}

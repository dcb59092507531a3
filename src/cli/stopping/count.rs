//! Counts the stop signals, and decides the effect of each. The model in `tests/model` includes
//! this file.

use std::time::{Duration, Instant};

/// A signal this soon after a counted one has the same cause, and is not counted: timeout(1)
/// signals its process and then the whole group, and a terminal and a service manager may both
/// signal.
const SAME_CAUSE: Duration = Duration::from_millis(200);

/// The effect of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopRequest {
    /// Stop without losing anything.
    Stop,
    /// Finish within a second.
    Insist,
    /// End the process now.
    Exit,
}

/// The number of stop signals so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct SignalCount {
    count: u32,
    last_counted: Option<Instant>,
}

impl SignalCount {
    /// Counts a signal that came at `now`. `None`: it has the same cause as the one before it.
    pub(super) fn note(&mut self, now: Instant) -> Option<StopRequest> {
        let is_same = |counted: Instant| now.saturating_duration_since(counted) < SAME_CAUSE;
        if self.last_counted.is_some_and(is_same) {
            return None;
        }
        self.last_counted = Some(now);
        self.count += 1;
        Some(match self.count {
            1 => StopRequest::Stop,
            2 => StopRequest::Insist,
            _ => StopRequest::Exit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(at_ms: &[u64]) -> Vec<Option<StopRequest>> {
        let (mut count, start) = (SignalCount::default(), Instant::now());
        let mut note = |ms| count.note(start + Duration::from_millis(ms));
        at_ms.iter().map(|ms| note(*ms)).collect()
    }

    #[test]
    fn signals_within_200_ms_count_as_one() {
        let all = asked(&[0, 0, 1, 199]);
        assert_eq!(all, [Some(StopRequest::Stop), None, None, None]);
    }

    #[test]
    fn signals_200_ms_apart_insist_and_then_exit() {
        let all = asked(&[0, 200, 400, 600, 900]);
        let expected = [
            StopRequest::Stop,
            StopRequest::Insist,
            StopRequest::Exit,
            StopRequest::Exit,
        ]
        .map(Some);
        assert_eq!(all[..4], expected);
        assert_eq!(all[4], Some(StopRequest::Exit));
    }

    #[test]
    fn second_signal_sent_twice_is_not_the_third() {
        let all = asked(&[0, 150, 1000, 1010, 1300]);
        let [first, second, third] =
            [StopRequest::Stop, StopRequest::Insist, StopRequest::Exit].map(Some);
        assert_eq!(all, [first, None, second, None, third]);
    }

    #[test]
    fn window_starts_at_the_counted_signal_only() {
        let all = asked(&[0, 150, 250]);
        assert_eq!(
            all,
            [Some(StopRequest::Stop), None, Some(StopRequest::Insist)]
        );
    }
}
